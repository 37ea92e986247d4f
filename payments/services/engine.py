"""Claim, do, write: how every kind of work that waits in a table is worked off.

What a row needs from outside is done between two transactions, never inside one. A crash before the
second leaves the row as it is; it comes back when its worker is known to be gone.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from payments import work
from payments.services.parking import note_failure, park
from payments.work import WorkModel

logger = logging.getLogger(__name__)

Findings = TypeVar("Findings")

RELEASE_PATIENCE_SECONDS = 20
# Not the fault of any row.
_INTERRUPTIONS = (OperationalError, InterfaceError, SoftTimeLimitExceeded)


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
    claimed = work.claim(trade.model, limit=limit, becomes=trade.becomes)
    for row in claimed:
        if row.deaths >= work.DEATHS_MAX:
            park(row, f"{row.deaths} workers died while they held it.")
    try:
        healthy = [row for row in claimed if row.deaths < work.DEATHS_MAX]
        for start in range(0, len(healthy), trade.at_once):
            do_rows(healthy[start : start + trade.at_once], trade)
    except _INTERRUPTIONS:
        _give_back(trade.model, claimed)
        raise
    return len(claimed)


def do_rows(rows: list[WorkModel], trade: Trade[WorkModel, Findings]) -> None:
    """Do them together; if that fails, halve by halve, until whoever is to blame is alone."""
    try:
        findings = trade.find(rows)
        _write(rows, findings, trade)
    except _INTERRUPTIONS:
        raise
    except Exception as error:  # a row's own fault, whatever it is: the others go on
        if len(rows) == 1:
            logger.exception("work.failed: %s", rows[0])
            note_failure(rows[0], error)
            return
        # Read again: what was written on them did not come true.
        rows = work.read_again(trade.model, rows)
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            if half:
                do_rows(half, trade)


@transaction.atomic
def _write(rows: list[WorkModel], findings: Findings, trade: Trade[WorkModel, Findings]) -> None:
    trade.lock_first(rows)
    trade.write(work.still_held(trade.model, rows), findings)


def _give_back(model: type[WorkModel], claimed: Sequence[WorkModel]) -> None:
    """The database was lost: when it is back, nobody needs to wait for the lease."""
    give_up_at = time.monotonic() + RELEASE_PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        close_old_connections()
        try:
            work.release(model, claimed)
        except (OperationalError, InterfaceError):
            time.sleep(1)
        else:
            return
