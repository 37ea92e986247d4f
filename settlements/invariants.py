"""What is true of settlements at every moment, and how a breach of it is found."""

from ledger import sql
from ledger.invariants import Breach, breaches


def illegal_settlements() -> list[Breach]:
    """Lines settled twice or wrongly, batches that are not their lines or not booked as such."""
    return breaches(sql.rows("settlements", "find_illegal_settlements"))


def illegal_payouts() -> list[Breach]:
    """Payouts that are not what their batch, entries and file say, and batches without theirs."""
    return breaches(sql.rows("settlements", "find_illegal_payouts"))
