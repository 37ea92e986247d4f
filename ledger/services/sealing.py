"""Seals what is final of the journal, in the order of its ids, and anchors the seals outside."""

import time
from datetime import UTC, datetime

from django.db import transaction

from ledger import sql
from ledger.anchors import anchor_seals
from ledger.models import JournalEntry, Seal
from ledger.proof import merkle_root, seal_hash
from ledger.seals import MARK_BYTES, Link, contents, link_of, newest_seal, seal_fields
from ledger.services.day_totals import add_day_totals

ENTRIES_PER_SEAL = 10_000
SEALS_PER_RUN = 50
WAIT_SECONDS = 2
LOOKS_PER_SECOND = 50
# Of a seal that leaves entries behind which are final already: nothing is known of their times.
NO_HORIZON = datetime(1970, 1, 1, tzinfo=UTC)


def seal_entries(*, limit: int = SEALS_PER_RUN) -> list[Seal]:
    """Seal the entries that are final, in at most `limit` blocks, each in a transaction of its own.

    An entry is final when no transaction can still bring one with a lower id. Nothing is sealed
    while another process seals, or if somebody goes on posting for more than WAIT_SECONDS; the
    next run gets it. Every seal is then anchored outside the database, also those an earlier run
    left without; an anchor that fails is logged and counted and breaks nothing.
    Call it outside any transaction. Returns the new seals in order.
    """
    seals: list[Seal] = []
    while len(seals) < limit:
        seal = _seal_next_block()
        if seal is None:
            break
        seals.append(seal)
        if seal.entry_count < ENTRIES_PER_SEAL:
            break
    anchor_seals(first_new=seals[0].number if seals else None)
    return seals


@transaction.atomic(durable=True)
def _seal_next_block() -> Seal | None:
    ((is_ours,),) = sql.rows("ledger", "try_lock_seals")
    if not is_ours:
        return None
    previous = newest_seal()
    link = link_of(previous)
    if not JournalEntry.objects.filter(pk__gt=link.last_entry_id).exists():
        return None
    ((horizon, final_until),) = sql.rows("ledger", "read_seal_boundary")
    if not _writers_have_ended():
        return None
    ((first, last, count, is_last),) = sql.rows(
        "ledger",
        "find_block_to_seal",
        after=link.last_entry_id,
        up_to=final_until,
        count=ENTRIES_PER_SEAL,
    )
    if not count:
        return None
    if not is_last:
        horizon = previous.horizon if previous else NO_HORIZON
    return _seal_block(link, first, last, horizon)


def _writers_have_ended() -> bool:
    """Wait for everybody who has drawn ids by now; False if somebody takes too long.

    Who drew an id before the boundary was read is among them or has ended. A lock is given back
    after its transaction became visible, so once they have ended, the next statement sees all.
    Unlike the age of snapshots, this does not wait for transactions that never touch the journal.
    """
    writers = {row.writer for row in sql.rows("ledger", "find_seal_writers")}
    deadline = time.monotonic() + WAIT_SECONDS
    while writers:
        if time.monotonic() > deadline:
            return False
        time.sleep(1 / LOOKS_PER_SECOND)
        writers &= {row.writer for row in sql.rows("ledger", "find_seal_writers")}
    return True


def _seal_block(previous: Link, first: int, last: int, horizon: datetime) -> Seal:
    leaves = [content.hash for content in contents(after=previous.last_entry_id, up_to=last)]
    seal = Seal(
        number=previous.number + 1,
        first_entry_id=first,
        last_entry_id=last,
        entry_count=len(leaves),
        merkle_root=merkle_root(leaves),
        leaf_marks=b"".join(leaf[:MARK_BYTES] for leaf in leaves),
        previous_hash=bytes.fromhex(previous.hash),
        hash=b"",
        horizon=horizon,
    )
    seal.hash = bytes.fromhex(seal_hash(seal_fields(seal)))
    seal.save(force_insert=True)
    add_day_totals(first, last)
    return seal
