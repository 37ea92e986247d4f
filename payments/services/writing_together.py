"""Payments of one merchant that arrive at once in this process are written together.

One statement writes those of one API key, author and way of capture: nearly always all of them.

Whoever finds nobody writing writes at once, alone. Those who come meanwhile wait for him and are
the next group, which the first of them writes. Merchants never wait for each other, so that one
whose rows are locked holds up nobody else.
"""

import logging
import threading
from collections import deque

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
)

from payments.models import Merchant
from payments.services.payments import Draft, create_payments

GROUP_MAX = 16
# How long somebody waits for who writes; then he goes by himself, and leaves others his thread.
PATIENCE_SECONDS = 2

logger = logging.getLogger(__name__)


class _Waiting:
    """A draft in the queue of its merchant; `turn` is free once it is done, or has to write."""

    __slots__ = ("draft", "is_done", "is_written", "turn")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.is_done = self.is_written = False
        self.turn = threading.Lock()
        self.turn.acquire()


def write_together(merchant: Merchant, draft: Draft) -> bool:
    """Write the payment as `create_payments` does; whether it was written for certain.

    Without a transaction around it. False may mean that the database was lost in the middle, or
    that it is still being written; whether it was is to be found out by its key.
    """
    own = _Waiting(draft)
    if not _is_first(merchant, own):
        has_turn = own.turn.acquire(timeout=PATIENCE_SECONDS) or _gives_up(merchant, own)
        if own.is_done or not has_turn:
            return own.is_written
    group = [own]
    try:
        group += _taken(merchant)
        written = _write(merchant, [each.draft for each in group])
        for each in group:
            each.is_written = each.draft.payment.public_id in written
    finally:
        _hand_over(merchant)
        for each in group[1:]:
            each.is_done = True
            each.turn.release()
    return own.is_written


# Who waits, by merchant. A merchant is in here for as long as somebody writes for him.
_queues: dict[int, deque[_Waiting]] = {}
_lock = threading.Lock()


def _is_first(merchant: Merchant, own: _Waiting) -> bool:
    """Whether nobody writes for this merchant; then it is ours to, else we are in the queue."""
    with _lock:
        queue = _queues.get(merchant.pk)
        if queue is None:
            _queues[merchant.pk] = deque()
            return True
        queue.append(own)
        return False


def _gives_up(merchant: Merchant, own: _Waiting) -> bool:
    """No longer wait for who writes; whether it came to be our turn at the last moment."""
    with _lock:
        queue = _queues.get(merchant.pk, ())
        if own in queue:
            _queues[merchant.pk].remove(own)
            return False
        return own.turn.acquire(blocking=False)


def _taken(merchant: Merchant) -> list[_Waiting]:
    """Those who wait, out of the queue."""
    with _lock:
        queue = _queues[merchant.pk]
        return [queue.popleft() for _ in range(min(len(queue), GROUP_MAX - 1))]


def _hand_over(merchant: Merchant) -> None:
    """Let the next one in the queue write; if there is none, whoever comes."""
    with _lock:
        queue = _queues[merchant.pk]
        if queue:
            queue.popleft().turn.release()
        else:
            del _queues[merchant.pk]


def _write(merchant: Merchant, drafts: list[Draft]) -> set[str]:
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    # The statement finds out itself; asking first would be a second round trip.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return create_payments(merchant, drafts)
    except (OperationalError, InterfaceError):
        connection.close()
        return set()
    except IntegrityError:  # somebody took a reference since the statement looked
        return set()
    except DatabaseError:
        logger.exception("writing_together.failed")
        return set()
