"""The proof that the books are what was posted."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from ledger import sql
from ledger.entries import fingerprint
from ledger.models import JournalEntry

ENTRIES_PER_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was posted; `subject` is an entry's id or an account's code."""

    check: str
    subject: str
    message: str


@transaction.atomic
def verify_ledger(*, is_full: bool = False) -> list[Problem]:
    """What is wrong with the books, first the first bad entry; empty when they hold.

    Checks that each entry has all its postings and balances in each currency, and that every
    balance is the sum of its postings. A full verification also recomputes the fingerprint of
    every entry, which finds changes that balance. Nothing is locked or repaired.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    problems = [
        Problem("entry", row.public_id or f"#{row.entry_id}", row.problem)
        for row in sql.rows("ledger", "find_unbalanced_entry")
    ]
    problems += [
        Problem(
            "balance",
            row.code,
            f"debits {row.debits} and credits {row.credits} are kept,"
            f" {row.posted_debits} and {row.posted_credits} were posted",
        )
        for row in sql.rows("ledger", "find_wrong_balances")
    ]
    if is_full:
        changed = next(_changed_entries(), None)
        if changed is not None:
            problems.insert(
                0, Problem("fingerprint", changed.public_id, "it is not what was posted")
            )
    return problems


def _changed_entries() -> Iterator[JournalEntry]:
    """Entries whose stored content does not give the fingerprint stored with them, by id."""
    entries = JournalEntry.objects.order_by("pk").prefetch_related("postings__account")
    for entry in entries.iterator(chunk_size=ENTRIES_PER_CHUNK):
        stored = fingerprint(
            entry.kind,
            entry.reference,
            entry.effective_at,
            (
                (posting.account.owner, posting.account.code, posting.direction, posting.amount)
                for posting in sorted(entry.postings.all(), key=lambda posting: posting.position)
            ),
        )
        if stored != bytes(entry.fingerprint):
            yield entry
