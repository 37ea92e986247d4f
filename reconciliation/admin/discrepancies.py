"""Discrepancies: who sees to them, what is found out, and how they end."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import Truncator

from ledger.actors import Actor
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.admin.candidates import (
    MatchForm,
    candidates_of,
    initial_of,
    match_as_asked,
    open_item_of,
)
from reconciliation.admin.discrepancies_forms import NoteForm, ResolutionForm, WriteOffForm
from reconciliation.admin.discrepancies_many import ManyAdmin
from reconciliation.admin.discrepancy_page import page_context
from reconciliation.admin.filters import AgeFilter, LeastAmountFilter, WorkFilter, today
from reconciliation.discrepancy_guide import suggested_action
from reconciliation.exports import readable
from reconciliation.models import Discrepancy
from reconciliation.open_amounts import open_amounts
from reconciliation.services.discrepancies import (
    add_note,
    assign,
    investigate,
    reopen,
    resolve,
)
from reconciliation.services.write_offs import propose_write_off

Status = Discrepancy.Status
# The steps a discrepancy of a status may take; a note may always be left.
WORK = {"assign_to_me", "leave_note", "match_by_hand", "resolve", "propose_write_off"}
STEPS = {
    Status.OPEN: {*WORK, "investigate"},
    Status.INVESTIGATING: {*WORK, "reopen"},
    Status.WRITE_OFF_REQUESTED: {"assign_to_me", "leave_note"},
    Status.RESOLVED: {"leave_note", "reopen"},
    Status.WRITTEN_OFF: {"leave_note"},
}
NOTE, MATCH = "reconciliation.add_discrepancynote", "reconciliation.add_match"
TEXT_SHOWN_MAX = 30


@admin.register(Discrepancy)
class DiscrepancyAdmin(ManyAdmin):
    list_display = (
        *("type", "reference", "at_stake", "age", "source", "status", "owner"),
        "expected_and_actual",
    )
    list_filter = (
        *(WorkFilter, AgeFilter, LeastAmountFilter),
        *("type", "source", "currency", "status", "owner", "reason_code"),
    )
    list_select_related = ("source", "owner")
    search_fields = ("public_id", "reference", "payment__public_id", "refund__public_id")
    list_before_template = "admin/reconciliation/discrepancy_views.html"
    change_form_template = "admin/reconciliation/discrepancy.html"
    fieldsets = (
        (
            "Finding",
            {
                "fields": (
                    *("public_id", "type", "status", "source", "reference", "at_stake"),
                    *("expected_text", "actual_text", "open_amount", "since", "owner"),
                )
            },
        ),
        (
            "How it ended",
            {"fields": ("reason_code", "resolution", "ended_by", "resolved_at", "resolved_by")},
        ),
        ("Where it was found", {"fields": ("opened_by", "opened_at", "key")}),
    )
    readonly_fields = ("open_amount",)
    actions_detail = tuple(sorted({*WORK, "investigate", "reopen"}))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the discrepancy."""
        discrepancy = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        fitting = STEPS[Status(discrepancy.status)] if discrepancy else set()
        return [step for step in allowed if step.path.replace("-", "_") in fitting]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.candidates)
        name = "reconciliation_discrepancy_candidates"
        urls: list[URLPattern] = [
            path("<int:pk>/candidates/", view, name=name),
            *super().get_urls(),
        ]
        return urls

    def candidates(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What else it could have been matched to, alone: looking for them may take seconds."""
        discrepancy = self._found(request, str(pk))
        if not self.has_view_permission(request, discrepancy):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"Candidates of {discrepancy}",
            "original": discrepancy,
            "candidates": candidates_of(discrepancy),
            "may_match": request.user.has_perm(MATCH) and not discrepancy.resolved_at,
        }
        name = "candidates" if "part" in request.GET else "candidates_page"
        return TemplateResponse(request, f"admin/reconciliation/{name}.html", context)

    @admin.display(description="at stake", ordering="amount")
    def at_stake(self, discrepancy: Discrepancy) -> str:
        is_amount = discrepancy.type != Discrepancy.Type.UNPARSED_LINE
        return str(discrepancy.money) if is_amount else ""

    @admin.display(description="days", ordering="-since")
    def age(self, discrepancy: Discrepancy) -> int:
        return max((today() - discrepancy.since).days, 0)

    @admin.display(description="expected")
    def expected_text(self, discrepancy: Discrepancy) -> str:
        return readable(discrepancy.expected)

    @admin.display(description="actual")
    def actual_text(self, discrepancy: Discrepancy) -> str:
        return readable(discrepancy.actual)

    @admin.display(description="expected → actual")
    def expected_and_actual(self, discrepancy: Discrepancy) -> str:
        texts = (readable(discrepancy.expected), readable(discrepancy.actual))
        return " → ".join(Truncator(text).chars(TEXT_SHOWN_MAX) or "nothing" for text in texts)

    @admin.display(description="open: book minus statement")
    def open_amount(self, discrepancy: Discrepancy) -> str:
        found = open_amounts(discrepancy)
        return "\n".join(f"{each.effect} on {each.account.code}" for each in found) or "nothing"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        discrepancy = self.get_object(request, object_id)
        if discrepancy is not None and self.has_view_permission(request, discrepancy):
            extra_context = {
                **(extra_context or {}),
                **page_context(discrepancy, request.user),
                "may_note": request.user.has_perm(NOTE),
                "advice": suggested_action(discrepancy),
                "has_candidates": not discrepancy.resolved_at
                and open_item_of(discrepancy) is not None,
            }
        return super().change_view(request, object_id, form_url, extra_context)

    @detail_action("Assign to me", permission="reconciliation.assign_discrepancy")
    def assign_to_me(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            forms.Form,
            title="Assign to me",
            explanation="You see to it from now on.",
            service=lambda it, actor: assign(it, _user(request), actor=actor),
        )

    @detail_action("Investigate", permission="reconciliation.change_discrepancy")
    def investigate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            forms.Form,
            title="Investigate",
            explanation="Others see that somebody is at it.",
            service=investigate,
        )

    @detail_action("Leave a note", permission=NOTE)
    def leave_note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            NoteForm,
            title="Leave a note",
            explanation="It stays as it is and can be read by all who see the discrepancy.",
            service=add_note,
        )

    @detail_action("Resolve", permission="reconciliation.resolve_discrepancy")
    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            ResolutionForm,
            title="Resolve",
            explanation="Nothing is posted: what it keeps apart stays an open item.",
            service=resolve,
        )

    @detail_action("Open again", permission="reconciliation.reopen_discrepancy")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            ReasonForm,
            title="Open again",
            explanation="It has to be worked again.",
            service=reopen,
        )

    @detail_action("Match by hand", permission=MATCH)
    def match_by_hand(self, request: HttpRequest, object_id: str) -> HttpResponse:
        discrepancy = self._found(request, object_id)
        return self._do(
            request,
            object_id,
            MatchForm,
            title="Match by hand",
            explanation="The line proves the record from now on: what it proves is posted, and what"
            " differs is opened. No run takes the two apart.",
            service=match_as_asked,
            initial=initial_of(discrepancy, request.GET),
        )

    @detail_action("Propose a write-off", permission="reconciliation.add_writeoff")
    def propose_write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        discrepancy = self._found(request, object_id)
        return self._do(
            request,
            object_id,
            WriteOffForm,
            title="Propose a write-off",
            explanation=f"Open, book minus statement: {self.open_amount(discrepancy)}."
            " An entry for just that is posted once somebody else has approved it.",
            service=propose_write_off,
        )

    def _do(
        self,
        request: HttpRequest,
        object_id: str,
        form_class: type[forms.Form],
        *,
        title: str,
        explanation: str,
        service: Callable[..., object],
        initial: dict[str, str] | None = None,
    ) -> HttpResponse:
        """Call the service with the discrepancy and what the form asked; show what it refuses."""
        discrepancy = self._found(request, object_id)
        # A form without fields is sent with nothing but the page's token.
        form = form_class(request.POST if request.method == "POST" else None, initial=initial)
        if form.is_valid():
            try:
                service(discrepancy, actor=Actor.user(request.user), **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{title}: {discrepancy}.")
                return HttpResponseRedirect(self._url_of(discrepancy))
        return self.ask(
            request,
            form,
            title=f"{title}: {discrepancy}",
            explanation=explanation,
            back=self._url_of(discrepancy),
        )

    def _found(self, request: HttpRequest, object_id: str) -> Discrepancy:
        discrepancy = self.get_object(request, object_id)
        if discrepancy is None:
            raise Http404
        return discrepancy


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user
