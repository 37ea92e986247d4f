"""What is true of statement files and of fees at every moment, and how a breach of it is found."""

from ledger import sql
from ledger.invariants import Breach, breaches
from payments.invariants import LEASE_PATIENCE_SECONDS


def stuck_files() -> list[Breach]:
    """Files that wait for nobody, or are over and not left alone."""
    return breaches(sql.rows("reconciliation", "find_stuck_files", patience=LEASE_PATIENCE_SECONDS))


def wrong_fees() -> list[Breach]:
    """Fees of matches that are not posted once, or still posted when the match is undone."""
    return breaches(sql.rows("reconciliation", "find_wrong_fees"))


def wrong_conversions() -> list[Breach]:
    """Matches that do not say, or wrongly say, that the processor converted."""
    return breaches(sql.rows("reconciliation", "find_wrong_conversions"))
