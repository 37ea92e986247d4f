"""What a merchant reads of reconciliation: what became of its payments."""

from typing import Any

from django.db.models import (
    Case,
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)

from payments.models import Merchant, Payment
from reconciliation.errors import DiscrepancyNotFound, RunNotFound
from reconciliation.models import Discrepancy, Match, ReconciliationRun, StatementLine


class ResultStatus(TextChoices):
    """What a processor's reports say about a payment; the first that applies."""

    MISSING_SETTLEMENT = "MISSING_SETTLEMENT"  # it is overdue in the processor's report
    DUPLICATE = "DUPLICATE"  # the processor reported it twice
    MISMATCHED = "MISMATCHED"  # reported, but with a difference nobody has explained
    MATCHED = "MATCHED"  # reported as we know it
    SETTLEMENT_PENDING = "SETTLEMENT_PENDING"  # not reported, and not due yet
    UNEXPECTED = "UNEXPECTED"  # reported as paid, and not paid as far as we know


def results_of(merchant: Merchant) -> QuerySet[Any]:
    """The merchant's succeeded payments, and those a report has all the same: `result_status`."""
    types = Discrepancy.Type
    # Whatever people decided about it: what its report does not show is missing there.
    missing = Q(match__isnull=True) & Exists(
        Discrepancy.objects.filter(payment=OuterRef("pk"), type=types.MISSING_SETTLEMENT)
    )
    duplicate = _open(type=types.DUPLICATE_LINE)
    unexpected = ~Q(status=Payment.Status.SUCCEEDED)
    status = Case(
        When(unexpected, then=Value(ResultStatus.UNEXPECTED.value)),
        When(missing, then=Value(ResultStatus.MISSING_SETTLEMENT.value)),
        When(duplicate, then=Value(ResultStatus.DUPLICATE.value)),
        When(_open(), then=Value(ResultStatus.MISMATCHED.value)),
        When(match__isnull=False, then=Value(ResultStatus.MATCHED.value)),
        default=Value(ResultStatus.SETTLEMENT_PENDING.value),
        output_field=CharField(),
    )
    return (
        Payment.objects.filter(merchant=merchant)
        .filter(Q(status=Payment.Status.SUCCEEDED) | _reported_all_the_same(merchant))
        .select_related("match__run")
        .annotate(result_status=status)
        .order_by("-id")
    )


def _reported_all_the_same(merchant: Merchant) -> Exists:
    """A line that nobody knows has the reference of a payment that did not succeed."""
    named = Q(line__merchant="") | Q(line__merchant__endswith=merchant.code)
    return Exists(
        Discrepancy.objects.filter(
            named,
            type=Discrepancy.Type.ORPHAN_LINE,
            status__in=Discrepancy.UNSETTLED,
            source__gateway=OuterRef("gateway"),
            line__kind=StatementLine.Kind.CHARGE,
            line__reference=OuterRef("reference"),
        )
    )


def discrepancies_of(merchant: Merchant) -> QuerySet[Discrepancy]:
    """Differences about the merchant's payments, refunds and disputes."""
    return (
        Discrepancy.objects.filter(_about(merchant))
        .select_related(
            *("payment", "refund", "dispute", "source", "processor_payout__line"),
        )
        .order_by("-id")
    )


def discrepancy_of(merchant: Merchant, public_id: str) -> Discrepancy:
    """Raises DiscrepancyNotFound, also for another merchant's."""
    found = discrepancies_of(merchant).filter(public_id=public_id.replace("\0", "?")).first()
    if found is None:
        raise DiscrepancyNotFound()
    return found


def runs_of(merchant: Merchant) -> QuerySet[ReconciliationRun]:
    """Runs that matched or opened something of the merchant's."""
    matched = Match.objects.filter(_matched(merchant), run=OuterRef("pk"))
    opened = Discrepancy.objects.filter(_about(merchant), opened_by=OuterRef("pk"))
    runs = ReconciliationRun.objects.filter(Exists(matched) | Exists(opened))
    return runs.order_by("-id")


def run_of(merchant: Merchant, public_id: str) -> ReconciliationRun:
    """The run with the merchant's share, `own_matches` and `own_discrepancies`.

    Raises RunNotFound, also for a run that was not about this merchant.
    """
    run: Any = runs_of(merchant).filter(public_id=public_id.replace("\0", "?")).first()
    if run is None:
        raise RunNotFound()
    run.own_matches = run.matches.filter(_matched(merchant)).count()
    run.own_discrepancies = run.opened.filter(_about(merchant)).count()
    return run


def _matched(merchant: Merchant) -> Q:
    """Of matches: those of the merchant's payments, refunds and disputes."""
    return _about(merchant) | Q(won_dispute__merchant=merchant)


def _about(merchant: Merchant) -> Q:
    """Of discrepancies: those about the merchant's payments, refunds and disputes."""
    return (
        Q(payment__merchant=merchant) | Q(refund__merchant=merchant) | Q(dispute__merchant=merchant)
    )


def _open(**which: str) -> Exists:
    """Something about the payment that somebody has to see to; not that it is not due yet."""
    unsettled = Discrepancy.objects.filter(
        payment=OuterRef("pk"), status__in=Discrepancy.UNSETTLED, **which
    )
    return Exists(unsettled.exclude(type=Discrepancy.Type.SETTLEMENT_PENDING))
