"""Views of lists that people keep under a name; every list of the back office offers them."""

from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.options import (
    IS_FACETS_VAR,
    IS_POPUP_VAR,
    TO_FIELD_VAR,
    IncorrectLookupParameters,
)
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from ledger.admin.base import ReadOnlyAdmin, detail_action
from ledger.errors import DomainError
from ledger.models import SavedView
from ledger.services.saved_views import change_view, remove_view, save_view, views_for

NAME_LENGTH_MAX = SavedView._meta.get_field("name").max_length
QUERY_LENGTH_MAX = SavedView._meta.get_field("query").max_length or 0
# Where in a list somebody is, not what he looks at.
PASSING = {ALL_VAR, ERROR_FLAG, IS_FACETS_VAR, IS_POPUP_VAR, PAGE_VAR, TO_FIELD_VAR}


@dataclass(frozen=True, slots=True)
class Views:
    """What stands beside a list. `keep_url` is empty where there is nothing to keep."""

    own: list[SavedView]
    shared: list[SavedView]
    query: str
    keep_url: str


class ViewForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH_MAX, widget=UnfoldAdminTextInputWidget)
    is_shared = forms.BooleanField(
        label="For everybody",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Others see it beside the list too; only you change it.",
    )


def views_beside(request: HttpRequest, page: Any) -> Views:
    """The saved views of a list, and the way to save what is looked at now."""
    label, query = page.opts.label_lower, lasting(request.GET)
    views = list(views_for(_person(request)).filter(list_of=label))
    keep = reverse(f"{page.admin_site.name}:ledger_savedview_keep")
    return Views(
        own=[view for view in views if view.owner == request.user],
        shared=[view for view in views if view.owner != request.user],
        query=query,
        keep_url=f"{keep}?{urlencode({'list': label, 'query': query})}" if query else "",
    )


def lasting(asked: QueryDict) -> str:
    """Filters, order and search of a query string, always in the same order."""
    said = [
        (name, value)
        for name, values in asked.lists()
        for value in values
        if name not in PASSING and value
    ]
    return urlencode(sorted(said))


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    """Open to all who work here: each sees his own and the shared ones of lists he may see."""

    list_display = ("name", "listed", "filters", "is_shared", "owner", "way_there")
    list_filter = ("is_shared",)
    list_select_related = ("owner",)
    search_fields = ("name",)
    fields = ("name", "listed", "filters", "is_shared", "owner", "created_at", "way_there")
    readonly_fields = ("listed", "filters", "way_there")
    actions_detail = ("rename", "remove")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # people come from the lists; it is nothing to begin with

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedView]:
        seen = [
            model._meta.label_lower
            for model, page in self.admin_site._registry.items()
            if page.has_view_permission(request)
        ]
        mine_and_shared = views_for(_person(request)).filter(list_of__in=seen)
        return mine_and_shared.order_by("list_of", "name", "pk")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only for its owner."""
        view = self.get_object(request, object_id)
        is_own = view is not None and view.owner == request.user
        return super().get_actions_detail(request, object_id) if is_own else []

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.keep)
        return [path("keep/", view, name="ledger_savedview_keep"), *super().get_urls()]

    @admin.display(description="list", ordering="list_of")
    def listed(self, view: SavedView) -> str:
        return str(apps.get_model(view.list_of)._meta.verbose_name_plural)

    @admin.display(description="filters, order, search")
    def filters(self, view: SavedView) -> str:
        return in_words(view.query)

    @admin.display(description="look")
    def way_there(self, view: SavedView) -> str:
        return format_html('<a class="t-link" href="{}">Open {}</a>', way_to(view), view.name)

    def keep(self, request: HttpRequest) -> HttpResponse:
        """Ask for a name, and save the query under it if the list takes it."""
        page, query = self._page_of(request.GET.get("list", "")), request.GET.get("query", "")
        if not page.has_view_permission(request):
            raise PermissionDenied
        kept = _taken_by(page, request, query)
        form = ViewForm(request.POST or None)
        if kept is None and request.method == "POST":
            form.add_error(None, "The list does not take these filters.")
        elif form.is_valid():
            try:
                view = save_view(
                    _person(request),
                    list_of=page.opts.label_lower,
                    query=kept or "",
                    **form.cleaned_data,
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"Saved as {view}.")
                return HttpResponseRedirect(way_to(view))
        return self._ask(
            request,
            form,
            title="Save this view",
            explanation=f"Of {page.opts.verbose_name_plural}: {in_words(kept or '')}",
            back=f"{_list_url(page.opts.label_lower)}?{kept or ''}",
        )

    @detail_action("Change", permission="view")
    def rename(self, request: HttpRequest, object_id: str) -> HttpResponse:
        view = self._own(request, object_id)
        initial = {"name": view.name, "is_shared": view.is_shared}
        form = ViewForm(request.POST or None, initial=initial)
        if form.is_valid():
            try:
                change_view(view, by=_person(request), **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"Changed: {form.cleaned_data['name']}.")
                return HttpResponseRedirect(way_to(view))
        return self._ask(
            request,
            form,
            title=f"Change: {view}",
            explanation="What it filters stays as it is: for other filters save another view.",
            back=self._url_of(view),
        )

    @detail_action("Remove", permission="view")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        view = self._own(request, object_id)
        if request.method == "POST":
            remove_view(view, by=_person(request))
            messages.success(request, f"Removed: {view}.")
            return HttpResponseRedirect(_list_url(view.list_of))
        return self._ask(
            request,
            forms.Form(),
            title=f"Remove: {view}",
            explanation="Nobody finds it beside the list any more. The list stays as it is.",
            back=self._url_of(view),
        )

    def _own(self, request: HttpRequest, object_id: str) -> SavedView:
        view = self.get_object(request, object_id)
        if view is None or view.owner != request.user:
            raise Http404
        return view

    def _page_of(self, label: str) -> Any:
        try:
            return self.admin_site.get_model_admin(apps.get_model(label))
        except (LookupError, ValueError, NotRegistered):
            raise Http404 from None

    def _ask(
        self, request: HttpRequest, form: forms.Form, *, title: str, explanation: str, back: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": title, "explanation": explanation},
            **{"form": form, "back": back},
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)


def in_words(query: str) -> str:
    """`work=open&age=0-1` as people read it."""
    said = QueryDict(query)
    return ", ".join(f"{name} {value}" for name, values in said.lists() for value in values)


def _taken_by(page: Any, request: HttpRequest, query: str) -> str | None:
    """The lasting part of a query string; None if the list does not take it."""
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(query)
    kept = lasting(asked.GET)
    try:
        page.get_changelist_instance(asked)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return None
    return kept if len(kept) <= QUERY_LENGTH_MAX else None


def _list_url(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def way_to(view: SavedView) -> str:
    return f"{_list_url(view.list_of)}?{view.query}"


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user
