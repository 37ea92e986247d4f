"""The proof that the books are what was posted."""

from collections.abc import Iterator
from itertools import islice

from django.db import connection, transaction

from ledger import sql
from ledger.actors import Actor
from ledger.anchors import contradictions
from ledger.models import AuditEvent, JournalEntry, Posting, Seal
from ledger.seals import Link, link_of, newest_seal
from ledger.services import audit
from ledger.services.replay import Problem, changed_entry, replay_seals

__all__ = ["Problem", "verify_ledger"]

VERIFIED = "ledger.verified"
SUBJECT = "ledger:seals"
PROBLEMS_PER_CHECK_MAX = 20
LAST_ID = 2**63 - 1


@transaction.atomic
def verify_ledger(*, is_full: bool = False) -> list[Problem]:
    """What is wrong with the books, first the first bad entry; empty when they hold.

    A full verification trusts nothing: it replays every seal from the entries and recomputes
    every balance and day total from the postings. Otherwise the seals up to the last one that was
    verified successfully (an audit event remembers it) and what they cover are trusted, so that it
    takes as long as what was posted since; balances are then held against the day totals.
    Entries not sealed yet are held against the fingerprint they were posted with. The anchors
    outside the database are always compared, all of them. Nothing is locked or repaired.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    head = newest_seal()
    verified, distrust = _last_verified()
    start = link_of(None if is_full else verified)
    checks = [
        iter(distrust),
        _impossible_entries(),
        _incomplete_entry(start),
        replay_seals(start, up_to=head.number if head else 0),
        _changed_tail(head),
        _wrong_balances(head, is_full),
        _wrong_pending(),
        _broken_floors(),
        _unanchored(head),
    ]
    problems = [problem for check in checks for problem in islice(check, PROBLEMS_PER_CHECK_MAX)]
    if head is not None and head != verified and not problems:
        _remember(head)
    # Sorting keeps the order of the checks for what is not about an entry.
    return sorted(problems, key=lambda found: LAST_ID if found.entry_id is None else found.entry_id)


def _last_verified() -> tuple[Seal | None, list[Problem]]:
    """The seal up to which the books held, unless it is not what it was then."""
    event = AuditEvent.objects.filter(subject=SUBJECT, action=VERIFIED).order_by("pk").last()
    if event is None:
        return None, []
    number = event.after["number"]
    seal = Seal.objects.defer("leaf_marks").filter(number=number).first()
    if seal is not None and bytes(seal.hash).hex() == event.after["hash"]:
        return seal, []
    message = f"It is not the one that was verified on {event.created_at:%Y-%m-%d}."
    return None, [Problem("seal", f"seal {number}", message)]


def _remember(head: Seal) -> None:
    after = {"number": head.number, "hash": bytes(head.hash).hex()}
    audit.record(VERIFIED, SUBJECT, actor=Actor.system("verify_ledger"), after=after)


def _impossible_entries() -> Iterator[Problem]:
    """Entries below all that are posted and sealed, where nothing else would look."""
    named = dict(JournalEntry.objects.filter(pk__lt=1).values_list("pk", "public_id"))
    strays = Posting.objects.filter(entry_id__lt=1).values_list("entry_id", flat=True)
    for entry_id in sorted({*named, *strays}):
        subject = named.get(entry_id, f"#{entry_id}")
        yield Problem("entry", subject, "nothing that is posted gets its id", entry_id)


def _incomplete_entry(after: Link) -> Iterator[Problem]:
    for row in sql.rows("ledger", "find_unbalanced_entry", after=after.last_entry_id):
        yield Problem("entry", row.public_id or f"#{row.entry_id}", row.problem, row.entry_id)


def _changed_tail(head: Seal | None) -> Iterator[Problem]:
    changed = changed_entry(after=link_of(head).last_entry_id, up_to=LAST_ID)
    if changed is not None:
        yield Problem("fingerprint", changed.public_id, "it is not what was posted", changed.id)


def _wrong_balances(head: Seal | None, is_full: bool) -> Iterator[Problem]:
    if is_full:
        wrong = sql.rows("ledger", "find_wrong_balances")
        yield from map(_wrong_day_total, sql.rows("ledger", "find_wrong_day_totals"))
    else:
        sealed = link_of(head).last_entry_id
        wrong = sql.rows("ledger", "find_balances_off_totals", sealed=sealed)
    for row in wrong:
        yield Problem(
            "balance",
            row.code,
            f"debits {row.debits} and credits {row.credits} are kept,"
            f" {row.posted_debits} and {row.posted_credits} were posted",
        )


def _wrong_day_total(row: sql.Row) -> Problem:
    return Problem(
        "day total",
        row.code or f"#{row.account_id}",
        f"of {row.effective_on}, posted on {row.posted_on}: debits {row.debits} and credits"
        f" {row.credits} are kept, {row.posted_debits} and {row.posted_credits} were posted",
    )


def _wrong_pending() -> Iterator[Problem]:
    for row in sql.rows("ledger", "find_wrong_pending"):
        yield Problem(
            "pending",
            row.code,
            f"debits {row.pending_debits} and credits {row.pending_credits} are pending,"
            f" open holds keep {row.held}",
        )


def _broken_floors() -> Iterator[Problem]:
    for row in sql.rows("ledger", "find_broken_floors"):
        message = f"{row.available} is available, its floor is {row.floor}"
        yield Problem("floor", row.code, message)


def _unanchored(head: Seal | None) -> Iterator[Problem]:
    for number, message in contradictions(head):
        subject = "anchors" if number is None else f"seal {number}"
        yield Problem("anchor", subject, message)
