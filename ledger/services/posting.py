"""The one way into the journal: set-based, exact, idempotent."""

import logging
import random
import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import Any

from django.db import IntegrityError, OperationalError
from prometheus_client import Counter, Histogram

from ledger import sql
from ledger.batch import Batch, Known, Result, Standing, Status, not_open_yet
from ledger.entries import Entry
from ledger.errors import Busy, Conflict
from ledger.plain_batch import Opposed, PlainBatch
from ledger.services.accounts import open_accounts
from ledger.sql.transactions import ShortTransaction

__all__ = ["EntryRefused", "Result", "Status", "post_all", "post_entries", "post_entry"]

ENTRIES_PER_STATEMENT = 1_000
TRIES_MAX = 5
PAUSE_MILLISECONDS = (10, 200)
BATCH_MILLISECONDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000)
# Somebody else was there at the same time; looking again finds what they did.
PASSING_CONSTRAINTS = {
    "ledger_account_frozen",
    "ledger_balance_floor",
    "ledger_entry_once_per_key",
    "ledger_entry_reversed_once",
    "ledger_period_open",
}
PASSING_STATES = {
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "55P03": "lock_not_available",
}

logger = logging.getLogger(__name__)
retries = Counter(
    "tieout_ledger_posting_retries_total",
    "Batches posted again, by what was in the way.",
    ["reason"],
)
batch_entries = Histogram(
    "tieout_ledger_batch_entries",
    "Entries per batch that was posted.",
    buckets=(1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000),
)
batch_seconds = Histogram(
    "tieout_ledger_batch_seconds",
    "How long posting a batch took, without waiting for a further try.",
    buckets=[milliseconds / 1_000 for milliseconds in BATCH_MILLISECONDS],
)


class EntryRefused(Conflict):
    """Raised by post_entry when its only entry is refused."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.message)
        self.code = result.code


class Overtaken(Exception):
    """While its accounts were opened, others made an entry impossible that had been accepted."""


def post_entries(entries: Sequence[Entry]) -> list[Result]:
    """Post each entry, or recognise it, or refuse it, one result per entry in order.

    The outcome equals posting them one by one: a refused entry (`insufficient_funds`,
    `account_frozen`, `currency_mismatch`, `account_type_mismatch`, `period_closed`,
    `already_reversed`, `idempotency_conflict`) leaves no trace and does not fail its neighbours.
    It happens in a transaction (or a savepoint) of its own: a thousand entries a statement if
    nothing speaks against any of them, which the database finds out.

    Call it once per transaction, after all other row locks: the balances are locked when the batch
    has been written. Deadlocks, lock timeouts and what another transaction did meanwhile (took a
    key, took the funds) are retried, with the balances that have a floor locked first; Busy is
    raised after TRIES_MAX of them.
    """
    if not entries:
        return []
    for tries in range(1, TRIES_MAX + 1):
        try:
            with batch_seconds.time():
                results = _post_batch(entries, is_first_try=tries == 1)
        except (IntegrityError, OperationalError, Overtaken) as error:
            reason = _passing_reason(error)
            if reason is None:
                raise
            logger.warning("posting tried again", extra={"reason": reason, "tries": tries})
            retries.labels(reason).inc()
        else:
            batch_entries.observe(len(entries))
            return results
        if 1 < tries < TRIES_MAX:
            time.sleep(random.randint(*PAUSE_MILLISECONDS) / 1_000)
    raise Busy("Other transactions keep posting to the same accounts.")


def post_entry(entry: Entry) -> Result:
    """Post one entry; raises EntryRefused instead of returning a refusal."""
    (result,) = post_all([entry])
    return result


def post_all(entries: Sequence[Entry]) -> list[Result]:
    """Post entries of which none may be refused; raises EntryRefused for the first that is."""
    results = post_entries(entries)
    for result in results:
        if result.status == Status.REFUSED:
            raise EntryRefused(result)
    return results


def _post_batch(entries: Sequence[Entry], *, is_first_try: bool) -> list[Result]:
    if is_first_try:
        with suppress(Opposed):
            return _post_plainly(PlainBatch(entries))
    with ShortTransaction() as transaction:
        batch = _look_up(transaction, entries, locks_floored=not is_first_try)
        if batch.knows_all_accounts:
            return _write(transaction, batch, entries)
        # Only what an accepted entry needs is opened. Somebody else may have opened it by now, so
        # what was accepted is decided anew.
        decided = _decide_by_chart(batch, entries)
        accepted = [
            entry
            for entry, result in zip(entries, decided, strict=True)
            if result.status != Status.REFUSED
        ]
        if not accepted:
            return decided
        open_accounts(batch.accounts_to_open)
        batch = _look_up(transaction, accepted, locks_floored=True)
        written = _write(transaction, batch, accepted)
        if any(result.status == Status.REFUSED for result in written):
            raise Overtaken
    in_order = iter(written)
    return [result if result.status == Status.REFUSED else next(in_order) for result in decided]


def _post_plainly(batch: PlainBatch) -> list[Result]:
    """All of them. Raises Opposed if one may not be posted; then nothing has changed."""
    count, entry_ids = len(batch.entries), list[int]()
    with ShortTransaction() as transaction:
        if count <= ENTRIES_PER_STATEMENT:
            answers = [transaction.only("ledger", "post_batch", **batch.columns(0, count))]
        else:
            transaction.begin()
            with sql.pipeline() as send:
                # The database writes these while the next ones are put together.
                sent = [
                    send(
                        "ledger",
                        "post_batch",
                        **batch.columns(start, start + ENTRIES_PER_STATEMENT),
                    )
                    for start in range(0, count, ENTRIES_PER_STATEMENT)
                ]
            answers = [row for cursor in sent for row in cursor.fetchall()]
        for (posted,) in answers:
            if posted is None:
                raise Opposed
            entry_ids += map(int, posted[1:-1].split(","))
    ids = zip(entry_ids, batch.public_ids, strict=True)
    return [Result(Status.POSTED, entry_id, public_id) for entry_id, public_id in ids]


def _decide_by_chart(batch: Batch, entries: Sequence[Entry]) -> list[Result]:
    sql.rows("ledger", "share_chart")
    codes = [standing.code for standing in batch.accounts.values() if standing.id < 0]
    batch.chart = {
        row.code: row.type for row in sql.rows("ledger", "find_types_in_chart", codes=codes)
    }
    return list(map(batch.decide, entries))


def _write(transaction: ShortTransaction, batch: Batch, entries: Sequence[Entry]) -> list[Result]:
    results: list[Result] = []
    is_one = len(entries) <= ENTRIES_PER_STATEMENT
    with nullcontext(transaction.finish) if is_one else sql.pipeline() as send:
        for start in range(0, len(entries), ENTRIES_PER_STATEMENT):
            # The database writes these while the next ones are decided.
            written, stop = len(batch.accepted), start + ENTRIES_PER_STATEMENT
            results += map(batch.decide, entries[start:stop])
            is_last = stop >= len(entries)
            if len(batch.accepted) > written or (is_last and batch.accepted):
                send("ledger", "write_batch", **batch.columns(written, is_last=is_last))
    return results


def _look_up(
    transaction: ShortTransaction, entries: Sequence[Entry], *, locks_floored: bool
) -> Batch:
    """The state the batch is decided in.

    Whatever changes until it is written, the database refuses to write; balances that are locked
    cannot.
    """
    refs = {line.account.key: line.account for entry in entries for line in entry.lines}
    found = transaction.row(
        "ledger",
        "look_up_batch",
        owners=[key[0] for key in refs],
        codes=[key[1] for key in refs],
        keys=[entry.idempotency_key for entry in entries],
        undone=[entry.reverses for entry in entries if entry.reverses is not None],
        count=len(entries),
        locks_floored=locks_floored,
    )
    # A column per field of Standing and of Known, or None if there is nothing to say.
    columns = [column or [] for column in found[:12]]
    irreversible, closed_until, entry_ids = found[12:]
    accounts = map(Standing, *columns[:8])
    standings = {(standing.owner, standing.code): standing for standing in accounts}
    for number, key in enumerate(refs.keys() - standings.keys(), start=1):
        standings[key] = not_open_yet(refs[key], -number)
    return Batch(
        accounts=standings,
        known=dict(zip(columns[8], map(Known, *columns[9:12]), strict=True)),
        closed_until=closed_until,
        entry_ids=entry_ids,
        reversed_ids=set(irreversible or []),
    )


def _passing_reason(error: Exception) -> str | None:
    """Why trying again may succeed; None if it cannot."""
    if isinstance(error, Overtaken):
        return "overtaken"
    cause: Any = error.__cause__
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is None:
        return None
    if diagnosis.constraint_name in PASSING_CONSTRAINTS:
        return str(diagnosis.constraint_name)
    return PASSING_STATES.get(diagnosis.sqlstate)
