"""The proof that the books are what was posted."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from django.db import connection, transaction

from ledger import sql
from ledger.actors import Actor
from ledger.anchors import contradictions
from ledger.audit_seals import TRAIL
from ledger.models import AuditEvent, ChainedSeal, JournalEntry, Posting
from ledger.seals import JOURNAL, Chain, Link, link_of
from ledger.services import audit
from ledger.services.replay import Problem, changed_entry, replay_seals

__all__ = ["Problem", "verify_ledger"]

PROBLEMS_PER_CHECK_MAX = 20
LAST_ID = 2**63 - 1


class _Progress:
    """How far a chain was verified, and what it has come to since."""

    def __init__(self, chain: Chain, *, is_full: bool) -> None:
        self.chain, self.head = chain, chain.newest()
        self.distrust: list[Problem] = []
        self.verified = self._last_verified()
        self.start = link_of(None if is_full else self.verified)

    def _last_verified(self) -> ChainedSeal | None:
        """The seal up to which all held, unless it is not what it was then."""
        named = {"subject": f"{self.chain.name}:seals", "action": f"{self.chain.name}.verified"}
        event = AuditEvent.objects.filter(**named).order_by("pk").last()
        if event is None:
            return None
        seals = self.chain.seals._default_manager.defer("leaf_marks")
        seal = seals.filter(number=event.after["number"]).first()
        if seal is not None and bytes(seal.hash).hex() == event.after["hash"]:
            return seal
        message = f"It is not the one that was verified on {event.created_at:%Y-%m-%d}."
        self.distrust = [Problem("seal", self._name(event.after["number"]), message)]
        return None

    def replayed(self) -> Iterator[Problem]:
        found = replay_seals(self.chain, self.start, up_to=self.head.number if self.head else 0)
        if self.chain is JOURNAL:
            return found
        return (replace(problem, entry_id=None) for problem in found)

    def unanchored(self) -> Iterator[Problem]:
        for number, message in contradictions(self.chain, self.head):
            subject = f"{self.chain.anchors}anchors" if number is None else self._name(number)
            yield Problem("anchor", subject, message)

    def remember(self) -> None:
        if self.head is None or self.head == self.verified:
            return
        audit.record(
            f"{self.chain.name}.verified",
            f"{self.chain.name}:seals",
            actor=Actor.system("verify_ledger"),
            after={"number": self.head.number, "hash": bytes(self.head.hash).hex()},
        )

    def _name(self, number: int) -> str:
        return f"{self.chain.seals._meta.verbose_name} {number}"


@transaction.atomic
def verify_ledger(*, is_full: bool = False) -> list[Problem]:
    """What is wrong with the books and the audit trail, first the first bad entry; empty when they
    hold.

    A full verification trusts nothing: it replays every seal from the entries and recomputes
    every balance and day total from the postings. Otherwise the seals up to the last one that was
    verified successfully (an audit event remembers it) and what they cover are trusted, so that it
    takes as long as what was posted since; balances are then held against the day totals.
    Entries not sealed yet are held against the fingerprint they were posted with. The anchors
    outside the database are always compared, all of them. Nothing is locked or repaired.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
    journal, trail = _Progress(JOURNAL, is_full=is_full), _Progress(TRAIL, is_full=is_full)
    checks = [
        iter(journal.distrust),
        _impossible_entries(),
        _incomplete_entry(journal.start),
        journal.replayed(),
        _changed_tail(journal.head),
        _wrong_balances(journal.head, is_full),
        _wrong_month_totals(),
        _wrong_pending(),
        _broken_floors(),
        journal.unanchored(),
        iter(trail.distrust),
        _impossible_events(),
        trail.replayed(),
        trail.unanchored(),
    ]
    problems = [problem for check in checks for problem in islice(check, PROBLEMS_PER_CHECK_MAX)]
    if not problems:
        journal.remember()
        trail.remember()
    # Sorting keeps the order of the checks for what is not about an entry.
    return sorted(problems, key=lambda found: LAST_ID if found.entry_id is None else found.entry_id)


def _impossible_entries() -> Iterator[Problem]:
    """Entries below all that are posted and sealed, where nothing else would look."""
    named = dict(JournalEntry.objects.filter(pk__lt=1).values_list("pk", "public_id"))
    strays = Posting.objects.filter(entry_id__lt=1).values_list("entry_id", flat=True)
    for entry_id in sorted({*named, *strays}):
        subject = named.get(entry_id, f"#{entry_id}")
        yield Problem("entry", subject, "nothing that is posted gets its id", entry_id)


def _impossible_events() -> Iterator[Problem]:
    for event in AuditEvent.objects.filter(pk__lt=1).order_by("pk"):
        yield Problem("seal", f"{TRAIL.noun}#{event.pk}", "nothing that happened gets its id")


def _incomplete_entry(after: Link) -> Iterator[Problem]:
    for row in sql.rows("ledger", "find_unbalanced_entry", after=after.last_entry_id):
        yield Problem("entry", row.public_id or f"#{row.entry_id}", row.problem, row.entry_id)


def _changed_tail(head: ChainedSeal | None) -> Iterator[Problem]:
    changed = changed_entry(JOURNAL, after=link_of(head).last_entry_id, up_to=LAST_ID)
    if changed is not None:
        yield Problem("fingerprint", changed.public_id, "it is not what was posted", changed.id)


def _wrong_balances(head: ChainedSeal | None, is_full: bool) -> Iterator[Problem]:
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


def _wrong_month_totals() -> Iterator[Problem]:
    for row in sql.rows("ledger", "find_wrong_month_totals"):
        yield Problem(
            "month total",
            row.code or f"#{row.account_id}",
            f"of {row.effective_month:%Y-%m}, posted in {row.posted_month:%Y-%m}: debits"
            f" {row.debits} and credits {row.credits} are kept, its days have {row.day_debits} and"
            f" {row.day_credits}",
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
