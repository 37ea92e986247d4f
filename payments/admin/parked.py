"""Work nobody could do: tried again by one person, or given up by two."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import ParkedWork
from payments.services.parking import (
    ask_to_discard,
    can_be_discarded_at,
    discard,
    retry_parked,
)

PROBLEM_SHOWN_MAX = 100

_STATES = {
    "waiting": ("Waits for a person", Q(resolved_at=None)),
    "discard_asked": ("Asked to discard", Q(resolved_at=None) & ~Q(discard_asked_by="")),
    "retried": ("Retried", Q(resolution=ParkedWork.Resolution.RETRIED)),
    "discarded": ("Discarded", Q(resolution=ParkedWork.Resolution.DISCARDED)),
}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = _STATES.get(self.value() or "")
        return queryset.filter(state[1]) if state else queryset


@admin.register(ParkedWork)
class ParkedWorkAdmin(ReadOnlyAdmin):
    list_display = (
        "subject",
        "queue",
        "short_problem",
        "attempts",
        "deaths",
        "failures",
        "parked_at",
        "discard_asked_by",
        "resolution",
        "resolved_by",
    )
    list_filter = (StateFilter, "queue", "parked_at")
    search_fields = ("subject", "problem")
    fields = (
        *("row", "queue", "problem", "attempts", "deaths", "failures", "parked_at"),
        *("discard_asked_by", "discard_reason", "resolution", "resolved_by", "resolved_at"),
    )
    actions_detail = ("retry", "ask_to_discard", "discard")

    @admin.display(description="problem", ordering="problem")
    def short_problem(self, parked: ParkedWork) -> str:
        return parked.problem[:PROBLEM_SHOWN_MAX]

    @admin.display(description="what is parked")
    def row(self, parked: ParkedWork) -> str:
        try:
            url = reverse(f"admin:{parked.queue}_change", args=[parked.row_id])
        except NoReverseMatch:
            return parked.subject
        return format_html('<a href="{}">{}</a>', url, parked.subject)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that are left."""
        parked = self.get_object(request, object_id)
        if parked is None or parked.resolved_at is not None:
            return []
        allowed = super().get_actions_detail(request, object_id)
        return [step for step in allowed if step.path != "discard" or parked.discard_asked_by]

    @detail_action("Retry", permission="payments.change_parkedwork")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        parked = self._found(request, object_id)
        return self.step(
            request,
            parked,
            title="Retry",
            explanation="It is due at once, with nothing counted against it. What was asked of a"
            " gateway before is looked up first.",
            service=lambda actor, reason: retry_parked(parked, actor=actor, reason=reason),
        )

    @detail_action("Ask to discard", permission="payments.ask_to_discard_parkedwork")
    def ask_to_discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        parked = self._found(request, object_id)
        return self.step(
            request,
            parked,
            title="Ask to discard",
            explanation="Nothing changes before somebody else agrees.",
            service=lambda actor, reason: ask_to_discard(parked, actor=actor, reason=reason),
        )

    @detail_action("Discard", permission="payments.delete_parkedwork")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        parked = self._found(request, object_id)
        return self.step(
            request,
            parked,
            title="Discard",
            explanation=f"{parked.discard_asked_by or 'Nobody'} asked for it:"
            f" {parked.discard_reason!r}. It is given up for good, if its gateway says that nothing"
            f" moved; from {can_be_discarded_at(parked):%Y-%m-%d %H:%M:%S} UTC.",
            service=lambda actor, reason: discard(parked, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> ParkedWork:
        parked: ParkedWork | None = self.get_object(request, object_id)
        if parked is None:
            raise Http404
        return parked
