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
from reconciliation.discrepancy_guide import BUCKETS, with_original_day
from reconciliation.fee_groups import matches_in
from reconciliation.models import Discrepancy, FeeGroup, Match, RejectedLine

# Days since the original day, both included: the guide's buckets, as this page calls them.
AGES = {
    name: (least, most, f"{least}–{most} days")
    for (most, name), least in zip(BUCKETS, (0, *(limit + 1 for limit, _ in BUCKETS)), strict=False)
} | {"over-90": (BUCKETS[-1][0] + 1, None, f"over {BUCKETS[-1][0]} days")}


def today() -> date:
    return timezone.localdate(timezone=settings.PLATFORM_ZONE)


def aged(bucket: str, day: date) -> Q:
    """Of discrepancies `with_original_day`, those that are so old on the day."""
    least, most, _ = AGES[bucket]
    newest = Q(original_on__lte=day - timedelta(days=least)) if least else Q()
    return newest & (Q(original_on__gte=day - timedelta(days=most)) if most is not None else Q())


def age_of(original: date, day: date) -> str:
    """The age that `aged` finds it by."""
    days = max((day - original).days, 0)
    return next(name for name, (_, most, _) in AGES.items() if most is None or days <= most)


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
        if bucket not in AGES:
            return queryset
        return with_original_day(queryset).filter(aged(bucket, today()))


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


class FeeGroupFilter(admin.SimpleListFilter):
    """The matches whose fees one entry carries; there for links, so it offers nothing by itself."""

    title = "fee group"
    parameter_name = "fee_group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name)
        return [(asked, asked)] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Match]) -> QuerySet[Match]:
        if not self.value():
            return queryset
        group = FeeGroup.objects.filter(public_id=self.value()).first()
        return queryset & matches_in(group) if group else queryset.none()


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
