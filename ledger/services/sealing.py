"""Seals what is final of the journal and of the audit trail, in the order of its ids, and anchors
the seals outside."""

import time
from datetime import UTC, datetime

from django.db import transaction

from ledger import sql
from ledger.anchors import anchor_seals
from ledger.audit_seals import TRAIL
from ledger.models import ChainedSeal
from ledger.proof import merkle_root, seal_hash
from ledger.seals import JOURNAL, MARK_BYTES, Chain, Link, link_of, seal_fields
from ledger.services.day_totals import add_day_totals

ENTRIES_PER_SEAL = 10_000
SEALS_PER_RUN = 50
WAIT_SECONDS = 2
LOOKS_PER_SECOND = 50
# Of a seal that leaves records behind which are final already: nothing is known of their times.
NO_HORIZON = datetime(1970, 1, 1, tzinfo=UTC)


def seal_entries(*, limit: int = SEALS_PER_RUN) -> list[ChainedSeal]:
    """Seal the entries that are final, in at most `limit` blocks, each in a transaction of its own.

    An entry is final when no transaction can still bring one with a lower id. Nothing is sealed
    while another process seals, or if somebody goes on posting for more than WAIT_SECONDS; the
    next run gets it. Every seal is then anchored outside the database, also those an earlier run
    left without; an anchor that fails is logged and counted and breaks nothing.
    Call it outside any transaction. Returns the new seals in order.
    """
    return _seal(JOURNAL, limit)


def seal_events(*, limit: int = SEALS_PER_RUN) -> list[ChainedSeal]:
    """Seal the audit events that are final, just as `seal_entries` does with entries."""
    return _seal(TRAIL, limit)


def _seal(chain: Chain, limit: int) -> list[ChainedSeal]:
    seals: list[ChainedSeal] = []
    while len(seals) < limit:
        seal = _seal_next_block(chain)
        if seal is None:
            break
        seals.append(seal)
        if seal.entry_count < ENTRIES_PER_SEAL:
            break
    anchor_seals(chain, first_new=seals[0].number if seals else None)
    return seals


@transaction.atomic(durable=True)
def _seal_next_block(chain: Chain) -> ChainedSeal | None:
    ((is_ours,),) = sql.rows("ledger", "try_lock_seals", lock=f"{chain.name}:sealing")
    if not is_ours:
        return None
    previous = chain.newest()
    link = link_of(previous)
    records = chain.records._default_manager.filter(pk__gt=link.last_entry_id)
    if not records.exists():
        return None
    ((horizon, final_until),) = sql.rows("ledger", "read_seal_boundary", sequence=chain.sequence)
    if not _writers_have_ended(chain):
        return None
    final = records.filter(pk__lte=final_until).order_by("pk").values_list("pk", flat=True)
    ids = list(final[: ENTRIES_PER_SEAL + 1])
    if not ids:
        return None
    if len(ids) > ENTRIES_PER_SEAL:
        ids.pop()
        horizon = previous.horizon if previous else NO_HORIZON
    return _seal_block(chain, link, ids[0], ids[-1], horizon)


def _writers_have_ended(chain: Chain) -> bool:
    """Wait for everybody who has drawn ids by now; False if somebody takes too long.

    Who drew an id before the boundary was read is among them or has ended. A lock is given back
    after its transaction became visible, so once they have ended, the next statement sees all.
    Unlike the age of snapshots, this does not wait for transactions that never touch the records.
    """
    writers = _writers(chain)
    deadline = time.monotonic() + WAIT_SECONDS
    while writers:
        if time.monotonic() > deadline:
            return False
        time.sleep(1 / LOOKS_PER_SECOND)
        writers &= _writers(chain)
    return True


def _writers(chain: Chain) -> set[str]:
    rows = sql.rows("ledger", "find_seal_writers", sequence=chain.sequence)
    return {row.writer for row in rows}


def _seal_block(
    chain: Chain, previous: Link, first: int, last: int, horizon: datetime
) -> ChainedSeal:
    contents = chain.contents(after=previous.last_entry_id, up_to=last)
    leaves = [content.hash for content in contents]
    seal = chain.seals(
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
    seal.hash = bytes.fromhex(seal_hash(seal_fields(seal), chain.purpose))
    seal.save(force_insert=True)
    if chain is JOURNAL:
        add_day_totals(first, last)
    return seal
