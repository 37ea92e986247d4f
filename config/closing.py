"""Closing the books with what the floors above the ledger know."""

from typing import Any

from ledger.actors import Actor
from ledger.models import AccountingPeriod
from ledger.services import periods
from reconciliation.exports import discrepancy_rows

# What must be explained or converted by the end of a period.
EXPECTED_EMPTY = ("suspense", "fx:position")


def close_period(code: str, *, actor: Actor, reason: str = "") -> AccountingPeriod:
    """Close a period; its pack lists the discrepancies that were open by its end and still are.

    Raises what ledger.services.periods.close_period raises.
    """
    return periods.close_period(
        code,
        actor=actor,
        reason=reason,
        open_items=_open_items(code),
        expected_empty=EXPECTED_EMPTY,
    )


def _open_items(code: str) -> list[dict[str, Any]]:
    period = AccountingPeriod.objects.filter(code=code).first()
    if period is None:
        return []
    last_day = period.last_moment.date()
    rows = discrepancy_rows(run=None, as_of=last_day)
    return [row for row in rows if str(row["since"]) <= last_day.isoformat()]
