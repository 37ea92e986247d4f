"""Discrepancies: who sees to them, what is found out, and how they end."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from ledger.actors import Actor
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.admin.discrepancies_forms import NoteForm, ResolutionForm, WriteOffForm
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
from settlements.admin.forms import AskingAdmin

Status = Discrepancy.Status
# The steps a discrepancy of a status may take; a note may always be left.
WORK = {"assign_to_me", "leave_note", "resolve", "propose_write_off"}
STEPS = {
    Status.OPEN: {*WORK, "investigate"},
    Status.INVESTIGATING: {*WORK, "reopen"},
    Status.WRITE_OFF_REQUESTED: {"assign_to_me", "leave_note"},
    Status.RESOLVED: {"leave_note", "reopen"},
    Status.WRITTEN_OFF: {"leave_note"},
}
SELECTED_MAX = 200
REFUSALS_SHOWN = 5


@admin.register(Discrepancy)
class DiscrepancyAdmin(AskingAdmin):
    list_display = (
        "type",
        "reference",
        "at_stake",
        "expected_text",
        "actual_text",
        "source",
        "since",
        "status",
        "owner",
    )
    list_filter = ("status", "type", "source", "currency", "since", "owner", "reason_code")
    list_select_related = ("source", "owner")
    search_fields = ("public_id", "reference", "payment__public_id", "refund__public_id")
    readonly_fields = ("open_amount", "notes_left")
    actions = ("assign_selected_to_me", "resolve_selected")
    actions_detail = tuple(sorted({*WORK, "investigate", "reopen"}))

    def has_work_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reconciliation.change_discrepancy")

    def has_propose_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reconciliation.add_writeoff")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the discrepancy."""
        discrepancy = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        fitting = STEPS[Status(discrepancy.status)] if discrepancy else set()
        return [step for step in allowed if step.path.replace("-", "_") in fitting]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resolve_many)
        name = "reconciliation_discrepancy_resolve_many"
        urls: list[URLPattern] = [path("resolve-many/", view, name=name), *super().get_urls()]
        return urls

    @admin.display(description="at stake", ordering="amount")
    def at_stake(self, discrepancy: Discrepancy) -> str:
        is_amount = discrepancy.type != Discrepancy.Type.UNPARSED_LINE
        return str(discrepancy.money) if is_amount else ""

    @admin.display(description="expected")
    def expected_text(self, discrepancy: Discrepancy) -> str:
        return readable(discrepancy.expected)

    @admin.display(description="actual")
    def actual_text(self, discrepancy: Discrepancy) -> str:
        return readable(discrepancy.actual)

    @admin.display(description="open: book minus statement")
    def open_amount(self, discrepancy: Discrepancy) -> str:
        found = open_amounts(discrepancy)
        return "\n".join(f"{each.effect} on {each.account.code}" for each in found) or "nothing"

    @admin.display(description="notes")
    def notes_left(self, discrepancy: Discrepancy) -> str:
        notes = discrepancy.notes.all()
        return "\n".join(
            f"{each.created_at:%Y-%m-%d %H:%M} {each.author}: {each.text}" for each in notes
        )

    @admin.action(description="Assign to me", permissions=["work"])
    def assign_selected_to_me(self, request: HttpRequest, selected: QuerySet[Discrepancy]) -> None:
        self._each(
            request, selected, "assigned", lambda it, me: assign(it, _user(request), actor=me)
        )

    @admin.action(description="Resolve", permissions=["work"])
    def resolve_selected(
        self, request: HttpRequest, selected: QuerySet[Discrepancy]
    ) -> HttpResponse | None:
        if selected.count() > SELECTED_MAX:
            messages.error(request, f"At most {SELECTED_MAX} are resolved at a time.")
            return None
        ids = urlencode({"ids": ",".join(str(pk) for pk in selected.values_list("pk", flat=True))})
        url = reverse(f"{self.admin_site.name}:reconciliation_discrepancy_resolve_many")
        return HttpResponseRedirect(f"{url}?{ids}")

    def resolve_many(self, request: HttpRequest) -> HttpResponse:
        """Ask once why the selected ones end, and end them each by itself."""
        ids = [pk for pk in request.GET.get("ids", "").split(",") if pk.isdecimal()]
        selected = self.get_queryset(request).filter(pk__in=ids[:SELECTED_MAX])
        if not self.has_work_permission(request) or not selected.exists():
            raise Http404
        back = reverse(f"{self.admin_site.name}:reconciliation_discrepancy_changelist")
        form = ResolutionForm(request.POST or None)
        if form.is_valid():
            said = form.cleaned_data
            self._each(request, selected, "resolved", lambda it, me: resolve(it, actor=me, **said))
            return HttpResponseRedirect(back)
        return self.ask(
            request,
            form,
            title=f"Resolve {selected.count()} discrepancies",
            explanation="Nothing is posted: what they keep apart stays an open item.",
            back=back,
        )

    @detail_action("Assign to me", permission="work")
    def assign_to_me(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            forms.Form,
            title="Assign to me",
            explanation="You see to it from now on.",
            service=lambda it, actor: assign(it, _user(request), actor=actor),
        )

    @detail_action("Investigate", permission="work")
    def investigate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            forms.Form,
            title="Investigate",
            explanation="Others see that somebody is at it.",
            service=investigate,
        )

    @detail_action("Leave a note", permission="work")
    def leave_note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            NoteForm,
            title="Leave a note",
            explanation="It stays as it is and can be read by all who see the discrepancy.",
            service=add_note,
        )

    @detail_action("Resolve", permission="work")
    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            ResolutionForm,
            title="Resolve",
            explanation="Nothing is posted: what it keeps apart stays an open item.",
            service=resolve,
        )

    @detail_action("Open again", permission="work")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(
            request,
            object_id,
            ReasonForm,
            title="Open again",
            explanation="It has to be worked again.",
            service=reopen,
        )

    @detail_action("Propose a write-off", permission="propose")
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
    ) -> HttpResponse:
        """Call the service with the discrepancy and what the form asked; show what it refuses."""
        discrepancy = self._found(request, object_id)
        # A form without fields is sent with nothing but the page's token.
        form = form_class(request.POST if request.method == "POST" else None)
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

    def _each(
        self,
        request: HttpRequest,
        selected: QuerySet[Discrepancy],
        done: str,
        act: Callable[[Discrepancy, Actor], object],
    ) -> None:
        """Do it to each by itself, and say how many could be done and why others could not."""
        actor, refusals, count = Actor.user(request.user), [], 0
        for discrepancy in selected:
            try:
                act(discrepancy, actor)
                count += 1
            except DomainError as refusal:
                refusals.append(refusal.message)
        if count:
            messages.success(request, f"{count} {done}.")
        for message in refusals[:REFUSALS_SHOWN]:
            messages.error(request, message)
        if len(refusals) > REFUSALS_SHOWN:
            messages.error(request, f"{len(refusals)} were refused in all.")

    def _found(self, request: HttpRequest, object_id: str) -> Discrepancy:
        discrepancy = self.get_object(request, object_id)
        if discrepancy is None:
            raise Http404
        return discrepancy


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user
