"""How discrepancies and runs are shown, by the API and in events alike."""

from typing import Any

from reconciliation.exports import readable
from reconciliation.models import Discrepancy, ReconciliationRun


def represent_discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return {
        "id": discrepancy.public_id,
        "type": discrepancy.type,
        "status": discrepancy.status,
        "payment_id": discrepancy.payment and discrepancy.payment.public_id,
        "refund_id": discrepancy.refund and discrepancy.refund.public_id,
        "dispute_id": discrepancy.dispute and discrepancy.dispute.public_id,
        "reference": discrepancy.reference,
        "amount": discrepancy.money.text if discrepancy.currency != "XXX" else "0",
        "currency": discrepancy.currency,
        "expected": readable(discrepancy.expected),
        "actual": readable(discrepancy.actual),
        "since": discrepancy.since,
        "opened_at": discrepancy.opened_at,
        "resolved_at": discrepancy.resolved_at,
    }


def represent_run(
    run: ReconciliationRun, *, match_count: int, discrepancy_count: int
) -> dict[str, Any]:
    """With the counts of whoever looks: a merchant's share, or all."""
    return {
        **represent_run_summary(run),
        "match_count": match_count,
        "discrepancy_count": discrepancy_count,
    }


def represent_run_summary(run: ReconciliationRun) -> dict[str, Any]:
    return {
        "id": run.public_id,
        "trigger": run.trigger,
        "as_of": run.as_of,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
