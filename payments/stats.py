"""How much work waits, who works, and what Redis holds of ours: for operators and probes."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import redis
from django.apps import apps
from django.db.models import Count, Min, Q
from django.utils import timezone

from payments import answers, cache, process_metrics
from payments.models import ParkedWork, WebhookDelivery
from payments.services.heartbeats import nodes_alive
from payments.work import Work, free, oldest_due

SCAN_COUNT = 1_000
SCAN_SECONDS_MAX = 1
# Work may wait for so long while workers start; a ring or the sweeper finds it in much less.
NOBODY_SECONDS_MAX = 10
OLDEST_DUE_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class QueueState:
    """One table of work."""

    queue: str  # its name
    message_count: int  # due, and nobody has them
    in_flight_count: int  # a worker has them
    scheduled_count: int  # due later
    parked_count: int  # nobody could do them; they wait for a person
    oldest_due_at: datetime | None

    def oldest_age_seconds(self, now: datetime) -> int:
        return int((now - self.oldest_due_at).total_seconds()) if self.oldest_due_at else 0


@dataclass(frozen=True, slots=True)
class CacheState:
    """`total_keys` is None when there were too many to count in a second."""

    connected: bool
    total_keys: int | None
    memory_usage: int | None  # bytes, of the whole server


def work_tables() -> list[type[Work]]:
    """Every kind of row that is also a piece of work."""
    return [model for model in apps.get_models() if issubclass(model, Work)]


def queue_states(now: datetime) -> list[QueueState]:
    """What waits in each table at this moment."""
    unresolved = ParkedWork.objects.filter(resolved_at=None).order_by()
    parked = Counter(dict(unresolved.values_list("queue").annotate(Count("pk"))))
    return [_queue_state(model, parked[model._meta.db_table], now) for model in work_tables()]


def _queue_state(model: type[Work], parked: int, now: datetime) -> QueueState:
    is_waiting = free(now) & Q(due_at__lte=now)
    figures = model._default_manager.filter(due_at__isnull=False).aggregate(
        waiting=Count("pk", filter=is_waiting),
        taken=Count("pk", filter=~free(now)),
        scheduled=Count("pk", filter=free(now) & Q(due_at__gt=now)),
        oldest=Min("due_at", filter=is_waiting),
    )
    return QueueState(
        model._meta.db_table,
        figures["waiting"],
        figures["taken"],
        figures["scheduled"],
        parked,
        figures["oldest"],
    )


def total_of(states: list[QueueState]) -> QueueState:
    """All tables together."""
    return QueueState(
        "all",
        sum(state.message_count for state in states),
        sum(state.in_flight_count for state in states),
        sum(state.scheduled_count for state in states),
        sum(state.parked_count for state in states),
        min((state.oldest_due_at for state in states if state.oldest_due_at), default=None),
    )


def is_work_done() -> bool:
    """Whether nothing has waited for too long, nor for a while with no worker alive."""
    # How long deliveries wait is for their receivers to say: none of them makes us unready.
    ours = [model for model in work_tables() if model is not WebhookDelivery]
    oldest = min((at for at in map(oldest_due, ours) if at), default=None)
    if oldest is None:
        return True
    waits_since = (timezone.now() - oldest).total_seconds()
    if waits_since > OLDEST_DUE_SECONDS_MAX:
        return False
    return waits_since <= NOBODY_SECONDS_MAX or bool(nodes_alive())


def doorbells() -> dict[str, int]:
    """Rings of all processes of this machine, by what became of them."""
    return process_metrics.totals("tieout_doorbells_total", "outcome")


def cache_state() -> CacheState:
    """What Redis says of itself and of the answers it keeps for us."""
    try:
        memory: Any = cache.ask(lambda client: client.info("memory"))
        total = _count_keys(f"{answers.PREFIX}*")
    except cache.Unreachable:
        return CacheState(connected=False, total_keys=None, memory_usage=None)
    return CacheState(connected=True, total_keys=total, memory_usage=memory["used_memory"])


def _count_keys(pattern: str) -> int | None:
    """How many names are like the pattern; None if that takes too long."""
    give_up_at = time.monotonic() + SCAN_SECONDS_MAX
    total, cursor = 0, None
    while cursor != 0 and time.monotonic() < give_up_at:
        page = partial(_scan, cursor or 0, pattern)
        cursor, names = cache.ask(page)
        total += len(names)
    return total if cursor == 0 else None


def _scan(cursor: int, pattern: str, client: redis.Redis) -> Any:
    return client.scan(cursor, match=pattern, count=SCAN_COUNT)
