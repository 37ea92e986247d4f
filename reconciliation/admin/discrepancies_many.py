"""Steps for many discrepancies at once: asked once, done to each by itself."""

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
from ledger.errors import DomainError
from reconciliation.admin.discrepancies_forms import AssignmentForm, NoteForm, ResolutionForm
from reconciliation.models import Discrepancy
from reconciliation.services.discrepancies import add_note, assign, resolve
from settlements.admin.forms import AskingAdmin

SELECTED_MAX = 200
REFUSALS_SHOWN = 5
Act = Callable[[Discrepancy, Actor, dict[str, Any]], object]

# What is asked, what it means, what is done to each, and how that is told.
STEPS: dict[str, tuple[type[forms.Form], str, Act, str]] = {
    "assign": (
        AssignmentForm,
        "That person sees to them from now on.",
        lambda it, actor, said: assign(it, said["owner"], actor=actor),
        "assigned",
    ),
    "note": (
        NoteForm,
        "The same note is left on each.",
        lambda it, actor, said: add_note(it, said["text"], actor=actor),
        "noted",
    ),
    "resolve": (
        ResolutionForm,
        "Nothing is posted: what they keep apart stays an open item.",
        lambda it, actor, said: resolve(it, actor=actor, **said),
        "resolved",
    ),
}
MAY = {
    "assign": "reconciliation.assign_discrepancy",
    "note": "reconciliation.add_discrepancynote",
    "resolve": "reconciliation.resolve_discrepancy",
}


class ManyAdmin(AskingAdmin):
    """The work list's actions."""

    actions: Any = (
        *("assign_selected_to_me", "assign_selected"),
        *("note_selected", "resolve_selected"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.many)
        urls: list[URLPattern] = [
            path("many/<str:step>/", view, name="reconciliation_discrepancy_many"),
            *super().get_urls(),
        ]
        return urls

    def has_assign_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY["assign"])

    def has_note_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY["note"])

    def has_resolve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(MAY["resolve"])

    @admin.action(description="Assign to me", permissions=["assign"])
    def assign_selected_to_me(self, request: HttpRequest, selected: QuerySet[Discrepancy]) -> None:
        me = request.user
        assert isinstance(me, User)  # the admin lets nobody else in
        self.each(request, selected, lambda it, actor: assign(it, me, actor=actor), "assigned")

    @admin.action(description="Assign to …", permissions=["assign"])
    def assign_selected(
        self, request: HttpRequest, selected: QuerySet[Discrepancy]
    ) -> HttpResponse | None:
        return self._asked(request, selected, "assign")

    @admin.action(description="Leave a note on", permissions=["note"])
    def note_selected(
        self, request: HttpRequest, selected: QuerySet[Discrepancy]
    ) -> HttpResponse | None:
        return self._asked(request, selected, "note")

    @admin.action(description="Resolve", permissions=["resolve"])
    def resolve_selected(
        self, request: HttpRequest, selected: QuerySet[Discrepancy]
    ) -> HttpResponse | None:
        return self._asked(request, selected, "resolve")

    def many(self, request: HttpRequest, step: str) -> HttpResponse:
        """Ask once, and do it to each of the selected ones by itself."""
        ids = [pk for pk in request.GET.get("ids", "").split(",") if pk.isdecimal()]
        selected = self.get_queryset(request).filter(pk__in=ids[:SELECTED_MAX])
        may = step in STEPS and request.user.has_perm(MAY[step])
        if not may or not selected.exists():
            raise Http404
        form_class, explanation, act, done = STEPS[step]
        back = reverse(f"{self.admin_site.name}:reconciliation_discrepancy_changelist")
        form = form_class(request.POST or None)
        if form.is_valid():
            said = form.cleaned_data
            self.each(request, selected, lambda it, actor: act(it, actor, said), done)
            return HttpResponseRedirect(f"{back}?work=open")
        return self.ask(
            request,
            form,
            title=f"{step.capitalize()} {selected.count()} discrepancies",
            explanation=explanation,
            back=back,
        )

    def each(
        self,
        request: HttpRequest,
        selected: QuerySet[Discrepancy],
        act: Callable[[Discrepancy, Actor], object],
        done: str,
    ) -> None:
        """Say how many could be done, and why others could not."""
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

    def _asked(
        self, request: HttpRequest, selected: QuerySet[Discrepancy], step: str
    ) -> HttpResponse | None:
        if selected.count() > SELECTED_MAX:
            messages.error(request, f"At most {SELECTED_MAX} at a time.")
            return None
        ids = urlencode({"ids": ",".join(str(pk) for pk in selected.values_list("pk", flat=True))})
        url = reverse(f"{self.admin_site.name}:reconciliation_discrepancy_many", args=[step])
        return HttpResponseRedirect(f"{url}?{ids}")
