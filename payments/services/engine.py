"""Claim, do, write: how every kind of work that waits in a table is worked off.

What a row needs from outside is done between two transactions, never inside one. A crash before the
second leaves the row as it is; it comes back when its worker is known to be gone.
"""

import logging
import time
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    transaction,
)
from prometheus_client import Counter, Histogram

from payments import work, workers
from payments.services.parking import note_failure, park
from payments.work import WorkModel

BATCH_MILLISECONDS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)

logger = logging.getLogger(__name__)
attempts = Counter(
    "tieout_work_attempts_total",
    "Rows that workers took, by what came of it.",
    ["queue", "outcome"],
)
batch_seconds = Histogram(
    "tieout_work_batch_seconds",
    "From claiming a batch of rows to the end of it.",
    ["queue"],
    buckets=[milliseconds / 1_000 for milliseconds in BATCH_MILLISECONDS],
)

Findings = TypeVar("Findings")

RELEASE_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Trade(Generic[WorkModel, Findings]):
    """How one kind of row is done.

    `find` runs outside any transaction and may be repeated: what it does must have its effect once.
    `write` gets the rows that are still ours, locked, inside one transaction, and what was found;
    it takes each off its holder (`holder` becomes null) together with whatever else it writes.
    """

    model: type[WorkModel]
    find: Callable[[list[WorkModel]], Findings]
    write: Callable[[list[WorkModel], Findings], None]
    lock_first: Callable[[list[WorkModel]], None] = lambda rows: None
    becomes: Mapping[str, str] = field(default_factory=dict)  # its status when it is taken
    at_once: int = work.BATCH_SIZE_MAX  # rows that share a transaction


def work_off_batch(trade: Trade[WorkModel, Findings], *, limit: int = work.BATCH_SIZE_MAX) -> int:
    """Take one batch of due rows as far as it goes; returns how many rows it took.

    A row that cannot be done does not keep the others: it is tried again later and parked in the
    end, as is one that has killed its workers.
    """
    started = time.monotonic()
    claimed = work.claim(trade.model, limit=limit, becomes=trade.becomes)
    healthy = without_deadly(claimed)
    outcomes = Tally(parked=len(claimed) - len(healthy)) if len(healthy) < len(claimed) else Tally()
    try:
        for start in range(0, len(healthy), trade.at_once):
            outcomes += do_rows(healthy[start : start + trade.at_once], trade)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded, SystemExit) as interruption:
        outcomes["interrupted"] = len(claimed) - outcomes.total()
        took_too_long = isinstance(interruption, SoftTimeLimitExceeded)
        # Who takes too long for no reason of ours would do so again: it counts as a death.
        is_suspect = took_too_long and not workers.is_stopping()
        _give_back(trade.model, claimed, work.suspect if is_suspect else work.release)
        raise
    finally:
        note_batch(claimed, outcomes, int(1_000 * (time.monotonic() - started)))
    return len(claimed)


def without_deadly(claimed: Sequence[WorkModel]) -> list[WorkModel]:
    """Park those that have killed their workers, and return the others."""
    for row in claimed:
        if row.deaths >= work.DEATHS_MAX:
            park(row, f"{row.deaths} workers died while they held it.")
    return [row for row in claimed if row.deaths < work.DEATHS_MAX]


def note_batch(claimed: Sequence[work.Work], outcomes: Tally[str], milliseconds: int) -> None:
    """One line in the log and the counters."""
    if not claimed:
        return
    queue = claimed[0]._meta.db_table
    batch_seconds.labels(queue).observe(milliseconds / 1_000)
    for outcome, count in outcomes.items():
        attempts.labels(queue, outcome).inc(count)
    about = {"queue": queue, "rows": len(claimed), "ms": milliseconds, **outcomes}
    ids = {"first_id": claimed[0].pk, "last_id": claimed[-1].pk}
    logger.info("work.batch", extra=about | ids)


def do_rows(rows: list[WorkModel], trade: Trade[WorkModel, Findings]) -> Tally[str]:
    """Do them together; if that fails, halve by halve, until whoever is to blame is alone.

    Returns how many were `written`, `overtaken` by another worker, and `failed`.
    """
    try:
        findings = trade.find(rows)
        written = _write(rows, findings, trade)
        return Tally(written=written, overtaken=len(rows) - written)
    except Exception as error:  # a row's own fault, whatever it is: the others go on
        if is_database_lost(error) or isinstance(error, SoftTimeLimitExceeded):
            raise
        if len(rows) == 1:
            about = {"queue": rows[0]._meta.db_table, "row_id": rows[0].pk}
            logger.exception("work.failed: %s", rows[0], extra=about)
            note_failure(rows[0], error)
            return Tally(failed=1)
        # Read again: what was written on them did not come true.
        rows = work.read_again(trade.model, rows)
        middle = len(rows) // 2
        halves = [half for half in (rows[:middle], rows[middle:]) if half]
        return sum((do_rows(half, trade) for half in halves), Tally())


def is_database_lost(error: Exception) -> bool:
    """Whether the connection has ended, or there was none to be had.

    The error says so, not the connection: whoever leaves a transaction by an error gets a new one.
    libpq's own have no SQLSTATE, and those of the server are fatal, unlike a lock or a statement
    that took too long.
    """
    cause = error.__cause__
    if not (isinstance(error, OperationalError) and isinstance(cause, psycopg.Error)):
        return False
    return cause.sqlstate is None or cause.diag.severity_nonlocalized in ("FATAL", "PANIC")


@transaction.atomic
def _write(rows: list[WorkModel], findings: Findings, trade: Trade[WorkModel, Findings]) -> int:
    """Returns how many of them were still ours."""
    trade.lock_first(rows)
    held = work.still_held(trade.model, rows)
    trade.write(held, findings)
    return len(held)


def _give_back(
    model: type[WorkModel],
    claimed: Sequence[WorkModel],
    free: Callable[[type[WorkModel], Sequence[WorkModel]], None],
) -> None:
    """The database was lost: when it is back, nobody needs to wait for the lease."""
    give_up_at = time.monotonic() + RELEASE_PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        close_old_connections()
        try:
            free(model, claimed)
        except (OperationalError, InterfaceError):
            time.sleep(1)
        else:
            return
