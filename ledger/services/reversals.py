"""Undoing an entry: never by changing it, always by another one."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import Direction, Entry, Line
from ledger.errors import NotFound
from ledger.locks import lock_reversal_of
from ledger.models import JournalEntry
from ledger.services import audit
from ledger.services.posting import post_entry


class EntryNotFound(NotFound):
    code = "entry_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such journal entry.")


@transaction.atomic
def reverse_entry(
    public_id: str, *, reason: str, actor: Actor, effective_at: datetime | None = None
) -> JournalEntry:
    """Post the entry that undoes this one, effective at `effective_at` (default: now).

    Repeating it returns the same reversal. Raises EntryNotFound, ReasonMissing, and EntryRefused if
    an account has not got what is to be taken back; then nothing has changed.
    """
    audit.required(reason)
    original = JournalEntry.objects.filter(public_id=public_id).first()
    if original is None:
        raise EntryNotFound()
    lock_reversal_of(original.public_id)
    known = JournalEntry.objects.filter(reverses=original).first()
    if known is not None:
        return known
    result = post_entry(
        Entry(
            idempotency_key=f"reversal:{original.public_id}",
            kind="reversal",
            reference=original.reference,
            effective_at=effective_at or timezone.now(),
            lines=_mirrored(original),
            reverses=original.pk,
        )
    )
    reversal = JournalEntry.objects.get(public_id=result.public_id)
    audit.record(
        "journal_entry.reversed",
        original.public_id,
        actor=actor,
        reason=reason,
        after={"reversal": reversal.public_id},
    )
    return reversal


def _mirrored(entry: JournalEntry) -> tuple[Line, ...]:
    """The entry's postings with debit and credit exchanged."""
    postings = entry.postings.select_related("account").order_by("position")
    return tuple(
        Line(
            posting.account.ref,
            Direction.CREDIT if posting.direction == Direction.DEBIT else Direction.DEBIT,
            posting.amount,
        )
        for posting in postings
    )
