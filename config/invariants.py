"""The ten invariants: what is true of the whole platform at every moment, whatever was killed.

Whether it was acknowledged is only known to the clients; `python -m tests.chaos` has such clients.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

from ledger.invariants import (
    Breach,
    Search,
    broken_floors,
    broken_proof,
    unbalanced_entries,
    unequal_currencies,
    wrong_balances,
)
from payments.invariants import (
    illegal_states,
    lost_acceptances,
    stuck_work,
    untold_facts,
    wrong_bookings,
    wrong_charges,
)
from reconciliation.invariants import stuck_files, wrong_conversions, wrong_fees
from settlements.invariants import illegal_payouts, illegal_settlements


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise, and the searches for what breaks it."""

    name: str
    promise: str
    searches: tuple[Search, ...]


def invariants(*, is_full: bool) -> list[Invariant]:
    """All of them. Full: sealed entries that were verified before are not trusted either."""
    return [
        Invariant("books_balance", "debits are credits in every currency", (unequal_currencies,)),
        Invariant(
            "entries_balance", "every journal entry is whole and balanced", (unbalanced_entries,)
        ),
        Invariant("balances_add_up", "every balance is the sum of its postings", (wrong_balances,)),
        Invariant(
            "ledger_proved",
            "entries, seals and anchors are what was posted",
            (partial(broken_proof, is_full=is_full),),
        ),
        Invariant(
            "acceptances_kept", "what was answered 202 is there as answered", (lost_acceptances,)
        ),
        Invariant(
            "charged_once",
            "what succeeded is booked once and charged once, nothing else is",
            (wrong_bookings, wrong_charges, wrong_fees, wrong_conversions),
        ),
        Invariant("floors_hold", "no account is below its floor", (broken_floors,)),
        Invariant(
            "nothing_stuck",
            "no work is held past its lease or waits for nobody",
            (stuck_work, stuck_files),
        ),
        Invariant("events_told", "each end was told once, without gaps", (untold_facts,)),
        Invariant(
            "states_legal",
            "every state agrees with what led to it",
            (illegal_states, illegal_settlements, illegal_payouts),
        ),
    ]


def check_invariants(*, is_full: bool = False) -> Iterator[tuple[Invariant, list[Breach]]]:
    """Each invariant with its first offenders; none if it holds. Nothing is locked or repaired."""
    for invariant in invariants(is_full=is_full):
        yield invariant, [breach for search in invariant.searches for breach in _found(search)]


@transaction.atomic
def _found(search: Search) -> list[Breach]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'")
    return search()
