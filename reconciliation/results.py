"""Reconciliation as one merchant may see it: its own payments and nothing else."""

from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)

from payments.models import Merchant, Payment
from reconciliation.errors import RunNotFound
from reconciliation.models import Discrepancy, ReconciliationRun


class ResultStatus(TextChoices):
    """What a processor's reports say about a payment; the first that applies."""

    MISSING_SETTLEMENT = "MISSING_SETTLEMENT"  # it is overdue in the processor's report
    DUPLICATE = "DUPLICATE"  # the processor reported it twice
    MISMATCHED = "MISMATCHED"  # reported, but with a difference nobody has explained
    MATCHED = "MATCHED"  # reported as we know it
    SETTLEMENT_PENDING = "SETTLEMENT_PENDING"  # not reported, and not due yet


def results_of(merchant: Merchant) -> QuerySet[Any]:
    """The merchant's succeeded payments with their `result_status`."""
    types = Discrepancy.Type
    missing = _open(type=types.MISSING_SETTLEMENT)
    duplicate = _open(type=types.DUPLICATE_LINE)
    status = Case(
        When(missing, then=Value(ResultStatus.MISSING_SETTLEMENT.value)),
        When(duplicate, then=Value(ResultStatus.DUPLICATE.value)),
        When(_open(), then=Value(ResultStatus.MISMATCHED.value)),
        When(match__isnull=False, then=Value(ResultStatus.MATCHED.value)),
        default=Value(ResultStatus.SETTLEMENT_PENDING.value),
        output_field=CharField(),
    )
    return (
        Payment.objects.filter(merchant=merchant, status=Payment.Status.SUCCEEDED)
        .select_related("match__run")
        .annotate(result_status=status)
        .order_by("-id")
    )


def discrepancies_of(merchant: Merchant) -> QuerySet[Discrepancy]:
    """Differences about the merchant's payments and refunds."""
    return (
        Discrepancy.objects.filter(Q(payment__merchant=merchant) | Q(refund__merchant=merchant))
        .select_related("payment", "refund")
        .order_by("-id")
    )


def run_of(merchant: Merchant, public_id: str) -> ReconciliationRun:
    """The run with the merchant's share, `own_matches` and `own_discrepancies`.

    Raises RunNotFound, also for a run that was not about this merchant.
    """
    ours = Q(matches__payment__merchant=merchant) | Q(matches__refund__merchant=merchant)
    opened = Q(opened__payment__merchant=merchant) | Q(opened__refund__merchant=merchant)
    run = (
        ReconciliationRun.objects.filter(public_id=public_id)
        .annotate(
            own_matches=Count("matches", filter=ours, distinct=True),
            own_discrepancies=Count("opened", filter=opened, distinct=True),
        )
        .first()
    )
    if run is None or not (run.own_matches or run.own_discrepancies):
        raise RunNotFound()
    return run


def _open(**which: str) -> Exists:
    return Exists(
        Discrepancy.objects.filter(payment=OuterRef("pk"), status=Discrepancy.Status.OPEN, **which)
    )
