"""What is true of the ledger at every moment, and how a breach of it is found.

Each app says so of what it owns; `config/invariants.py` puts all of it together.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger import sql
from ledger.services.verification import verify_ledger

BREACHES_MAX = 20
# What the other invariants of this module find, over all there is.
FOUND_BY_OTHERS = {"entry", "balance", "pending", "floor"}


@dataclass(frozen=True, slots=True)
class Breach:
    """One offender: its name, and what is wrong with it."""

    subject: str
    problem: str


# Finds the first BREACHES_MAX offenders; none means that the invariant holds.
Search = Callable[[], list[Breach]]


def breaches(rows: Iterable[sql.Row]) -> list[Breach]:
    """Rows of `subject` and `problem`."""
    return [Breach(row.subject, row.problem) for row in rows]


def unequal_currencies() -> list[Breach]:
    """Currencies in which all debits there are differ from all credits."""
    return breaches(sql.rows("ledger", "find_unequal_currencies"))


def unbalanced_entries() -> list[Breach]:
    """The first entry that is not whole and balanced."""
    return [
        Breach(row.public_id or f"entry #{row.entry_id}", row.problem)
        for row in sql.rows("ledger", "find_unbalanced_entry", after=0)
    ]


def wrong_balances() -> list[Breach]:
    """Accounts whose kept balance is not the sum of their postings."""
    return [
        Breach(
            f"{row.owner} {row.code}".strip(),
            f"debits {row.debits} and credits {row.credits} are kept,"
            f" {row.posted_debits} and {row.posted_credits} were posted",
        )
        for row in sql.rows("ledger", "find_wrong_balances")[:BREACHES_MAX]
    ]


def broken_floors() -> list[Breach]:
    """Accounts with less than their floor, or with other holds than are pending."""
    low = [
        Breach(row.code, f"{row.available} is available, its floor is {row.floor}")
        for row in sql.rows("ledger", "find_broken_floors")
    ]
    off = [
        Breach(
            row.code,
            f"debits {row.pending_debits} and credits {row.pending_credits} are pending,"
            f" open holds keep {row.held}",
        )
        for row in sql.rows("ledger", "find_wrong_pending")
    ]
    return [*low, *off][:BREACHES_MAX]


def broken_proof(*, is_full: bool) -> list[Breach]:
    """What else `verify_ledger` finds: fingerprints, day totals, seals and their anchors."""
    found = [
        Breach(problem.subject, f"{problem.check}: {problem.message}")
        for problem in verify_ledger(is_full=is_full)
        if problem.check not in FOUND_BY_OTHERS
    ]
    return found[:BREACHES_MAX]
