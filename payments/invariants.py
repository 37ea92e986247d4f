"""What is true of payments at every moment, and how a breach of it is found."""

from dataclasses import dataclass

from ledger import sql
from ledger.invariants import Breach, breaches
from payments.models.events import KEPT_FOR

# A lease that is over is taken by the next sweep; a worker of ours needs a moment for that.
LEASE_PATIENCE_SECONDS = 30


def wrong_bookings() -> list[Breach]:
    """Payments, refunds and disputes that are not booked exactly once as they are."""
    return breaches(sql.rows("payments", "find_wrong_bookings"))


def wrong_charges() -> list[Breach]:
    """Payments and refunds that a gateway with a journal of its own moved otherwise."""
    return breaches(sql.rows("payments", "find_wrong_charges"))


def lost_acceptances() -> list[Breach]:
    """Answers that promised something which is not there."""
    return breaches(sql.rows("payments", "find_lost_acceptances"))


def stuck_work() -> list[Breach]:
    """Rows that wait for nobody, or are over and not left alone."""
    return breaches(sql.rows("payments", "find_stuck_work", patience=LEASE_PATIENCE_SECONDS))


def untold_facts() -> list[Breach]:
    """Things that are over without exactly one event that says so, and gaps between events."""
    return breaches(sql.rows("payments", "find_untold_facts", kept_for=KEPT_FOR))


def illegal_states() -> list[Breach]:
    """Payments, refunds, disputes and transfers in a state that nothing leads to."""
    return [
        *breaches(sql.rows("payments", "find_illegal_payments")),
        *breaches(sql.rows("payments", "find_illegal_transfers")),
    ]


@dataclass(frozen=True, slots=True)
class UnknownOutcomes:
    """Payments and refunds whose gateway was asked; it has not answered, or we have not heard."""

    number: int
    oldest_seconds: int | None


def unknown_outcomes() -> UnknownOutcomes:
    (row,) = sql.rows("payments", "age_unknown_outcomes")
    return UnknownOutcomes(row.number, row.oldest_seconds)
