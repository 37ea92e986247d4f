"""What all floors' screens build on: read-only records, and steps that ask for a reason."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin.checks import ModelAdminChecks
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from ledger.actors import Actor
from ledger.errors import DomainError
from ledger.services.audit import REASON_LENGTH_MAX

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def detail_action(description: str, *, permission: str) -> Callable[[View], View]:
    """A button on a record's page, for who has the permission `app.codename`, each step its own.

    Without a dot: for whom the screen's `has_<permission>_permission` allows.
    """
    decorate: Callable[[View], View] = action(description=description, permissions=[permission])
    return decorate


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="It stays in the audit trail.",
    )


class ReadOnlyAdmin(ModelAdmin):
    """Shows everything and changes nothing: changes are services, with a reason and an actor."""

    # Unfold's ask the database for permissions that only the next `migrate` makes; a test does.
    checks_class = ModelAdminChecks
    list_per_page = 50
    list_before_template: str | None = "admin/ledger/saved_views.html"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def step(
        self,
        request: HttpRequest,
        record: Any,
        *,
        title: str,
        explanation: str,
        service: Callable[[Actor, str], object],
    ) -> HttpResponse:
        """Ask for a reason; once it is given, call the service and return to the record.

        A refusal of the service is shown beside the reason, and nothing has changed.
        """
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            try:
                service(Actor.user(request.user), form.cleaned_data["reason"])
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{title}: {record}.")
                return HttpResponseRedirect(self._url_of(record))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{title}: {record}",
            "explanation": explanation,
            "form": form,
            "back": self._url_of(record),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)

    def _url_of(self, record: Any) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return reverse(name, args=[record.pk])
