"""Sign-offs: days prepared by one person and signed by another, and the reports they froze."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.admin.filters import WaitsForMeFilter
from ledger.errors import DomainError
from reconciliation.models import SignOff, SourceAccount
from reconciliation.report_files import CONTENT_TYPES, html, rendered
from reconciliation.services.sign_offs import prepare_sign_off, sign, withdraw

Status = SignOff.Status


class PrepareForm(ReasonForm):
    account = forms.ModelChoiceField(
        SourceAccount.objects.select_related("source"), widget=UnfoldAdminSelectWidget
    )
    day = forms.DateField(widget=UnfoldAdminSingleDateWidget)
    field_order = ("account", "day", "reason")


class SignOffWaits(WaitsForMeFilter):
    status = Status.PREPARED
    asked_by = "prepared_by"


@admin.register(SignOff)
class SignOffAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "source_account",
        "day",
        "status",
        "known_at",
        "prepared_by",
        "signed_by",
        "withdrawn_by",
    )
    list_filter = (SignOffWaits, "status", "source_account__source", "day")
    list_select_related = ("source_account__source",)
    search_fields = ("public_id", "content_hash", "prepared_by", "signed_by")
    exclude = ("content",)
    actions_list = ("prepare",)
    actions_detail = (
        "report",
        "report_csv",
        "report_xlsx",
        "report_json",
        "sign",
        "withdraw",
    )

    @detail_action("Prepare a day", permission="reconciliation.add_signoff")
    def prepare(self, request: HttpRequest) -> HttpResponse:
        form = PrepareForm(request.POST or None)
        if form.is_valid():
            try:
                sign_off = prepare_sign_off(
                    form.cleaned_data["account"],
                    form.cleaned_data["day"],
                    actor=Actor.user(request.user),
                    reason=form.cleaned_data["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{sign_off} waits for a second person.")
                return HttpResponseRedirect(self._url_of(sign_off))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Prepare a day",
            "explanation": "Its report is frozen as it is known now; somebody else signs it.",
            "form": form,
            "back": reverse(f"{self.admin_site.name}:reconciliation_signoff_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)

    @detail_action("Sign", permission="reconciliation.change_signoff")
    def sign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            self._found(request, object_id),
            title="Sign",
            explanation="You have read the report and agree. It is computed once more before that.",
            service=lambda actor, reason: sign(
                self._found(request, object_id), actor=actor, reason=reason
            ),
        )

    @detail_action("Withdraw", permission="reconciliation.delete_signoff")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.step(
            request,
            self._found(request, object_id),
            title="Withdraw",
            explanation="The sign-off counts no more; the report and who signed it stay.",
            service=lambda actor, reason: withdraw(
                self._found(request, object_id), actor=actor, reason=reason
            ),
        )

    @detail_action("Report", permission="view")
    def report(self, request: HttpRequest, object_id: str) -> HttpResponse:
        found = self._found(request, object_id)
        people = {"Prepared by": found.prepared_by, "Signed by": found.signed_by}
        if found.status == Status.WITHDRAWN:
            people["Withdrawn by"] = f"{found.withdrawn_by}: {found.reason}"
        return HttpResponse(
            html([json.loads(found.content)], content_hash=found.content_hash, people=people)
        )

    @detail_action("Report (CSV)", permission="view")
    def report_csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._file(request, object_id, "csv")

    @detail_action("Report (XLSX)", permission="view")
    def report_xlsx(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._file(request, object_id, "xlsx")

    @detail_action("Report (JSON)", permission="view")
    def report_json(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._file(request, object_id, "json")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What may still be done with it."""
        found = self.get_object(request, object_id)
        over = (
            {
                Status.PREPARED: set(),
                Status.SIGNED: {"sign"},
                Status.WITHDRAWN: {"sign", "withdraw"},
            }[Status(found.status)]
            if found
            else set()
        )
        actions = super().get_actions_detail(request, object_id)
        return [each for each in actions if each.action_name.rpartition("_signoff_")[2] not in over]

    def _file(self, request: HttpRequest, object_id: str, file_format: str) -> HttpResponse:
        """JSON is the very text whose hash was signed."""
        found = self._found(request, object_id)
        if file_format == "json":
            content = found.content.encode()
        else:
            content = rendered([json.loads(found.content)], file_format)
        name = f"tie-out-{found.day}-{found.public_id}.{file_format}"
        return HttpResponse(
            content,
            content_type=CONTENT_TYPES[file_format],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _found(self, request: HttpRequest, object_id: str) -> SignOff:
        found: SignOff | None = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found
