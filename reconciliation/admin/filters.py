"""How people narrow the work list down: whose it is, how old, how much."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ledger.errors import DomainError
from ledger.money import Money
from reconciliation.models import Discrepancy, RejectedLine

# Days since a discrepancy is counted as open, both included, and how they are called.
AGES = {
    "0-1": (0, 1, "0–1 days"),
    "2-7": (2, 7, "2–7 days"),
    "8-30": (8, 30, "8–30 days"),
    "31-90": (31, 90, "31–90 days"),
    "over-90": (91, None, "over 90 days"),
}


def today() -> date:
    return timezone.localdate(timezone=settings.PLATFORM_ZONE)


def aged(bucket: str, day: date) -> Q:
    """Discrepancies that have been open for so long on the day."""
    least, most, _ = AGES[bucket]
    newest = Q(since__lte=day - timedelta(days=least)) if least else Q()
    return newest & (Q(since__gte=day - timedelta(days=most)) if most is not None else Q())


class WorkFilter(admin.SimpleListFilter):
    title = "work"
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "All that is open"),
            ("mine", "Mine"),
            ("unassigned", "Nobody's"),
            ("decision", "Waits for a decision"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Discrepancy]
    ) -> QuerySet[Discrepancy]:
        unsettled = queryset.filter(status__in=Discrepancy.UNSETTLED, resolved_at=None)
        match self.value():
            case "open":
                return unsettled
            case "mine":
                return unsettled.filter(owner=request.user.pk)
            case "unassigned":
                return unsettled.filter(owner=None)
            case "decision":
                return unsettled.filter(status=Discrepancy.Status.WRITE_OFF_REQUESTED)
        return queryset


class AgeFilter(admin.SimpleListFilter):
    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(bucket, label) for bucket, (_, _, label) in AGES.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Discrepancy]
    ) -> QuerySet[Discrepancy]:
        bucket = self.value()
        return queryset.filter(aged(bucket, today())) if bucket in AGES else queryset


class LeastAmountFilter(admin.SimpleListFilter):
    title = "at stake, at least"
    parameter_name = "least"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(text, f"{text}.00") for text in ("10", "100", "1000", "10000")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Discrepancy]
    ) -> QuerySet[Discrepancy]:
        text = self.value()
        if not text:
            return queryset
        enough = Q(pk__in=[])
        for currency in queryset.order_by().values_list("currency", flat=True).distinct():
            try:
                least = Money.of(text, currency).amount
            except DomainError:
                return queryset.none()
            enough |= Q(currency=currency) & (Q(amount__gte=least) | Q(amount__lte=-least))
        return queryset.filter(enough)


class WaitingLinesFilter(admin.SimpleListFilter):
    """Lines of loaded files that nobody has seen to."""

    title = "waiting"
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "For a person")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RejectedLine]
    ) -> QuerySet[RejectedLine]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(resolution="", file__loaded_at__isnull=False)
