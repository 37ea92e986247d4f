"""How much work waits, and what Redis holds of ours: for operators and probes."""

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import redis
from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min, Q
from django.utils import timezone

from payments import answers, cache
from payments.work import LEASE_SECONDS, Work

SCAN_COUNT = 1_000
SCAN_SECONDS_MAX = 1


@dataclass(frozen=True, slots=True)
class QueueState:
    """One table of work, or all together."""

    message_count: int  # due: any worker may take them now
    in_flight_count: int  # tried, and not due before a lease is over: taken, or tried again soon
    scheduled_count: int  # due later than that
    oldest_due_at: datetime | None
    parked_count: int = 0  # nothing parks rows yet

    def __add__(self, other: "QueueState") -> "QueueState":
        oldest = [each for each in (self.oldest_due_at, other.oldest_due_at) if each]
        return QueueState(
            self.message_count + other.message_count,
            self.in_flight_count + other.in_flight_count,
            self.scheduled_count + other.scheduled_count,
            min(oldest, default=None),
            self.parked_count + other.parked_count,
        )

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


def queue_state(model: type[Work], *, now: datetime) -> QueueState:
    """What waits in one table at this moment."""
    lease_ends_at = now + timedelta(seconds=LEASE_SECONDS)
    is_taken = Q(due_at__gt=now, due_at__lte=lease_ends_at, attempts__gt=0)
    figures = model._default_manager.filter(due_at__isnull=False).aggregate(
        waiting=Count("pk", filter=Q(due_at__lte=now)),
        taken=Count("pk", filter=is_taken),
        scheduled=Count("pk", filter=Q(due_at__gt=now) & ~is_taken),
        oldest=Min("due_at", filter=Q(due_at__lte=now)),
    )
    return QueueState(figures["waiting"], figures["taken"], figures["scheduled"], figures["oldest"])


def oldest_due_at() -> datetime | None:
    """Since when the longest waiting row of any table is due; None when nothing waits."""
    now = timezone.now()
    oldest = [
        model._default_manager.filter(due_at__lte=now).aggregate(at=Min("due_at"))["at"]
        for model in work_tables()
    ]
    return min((at for at in oldest if at), default=None)


def broker_url() -> str:
    """Where bells are rung, without user and password."""
    return re.sub("(?<=://)[^/]*@", "", settings.CELERY_BROKER_URL)


def count_workers() -> int | None:
    """How many workers listen; None when the broker cannot say.

    Each Celery worker keeps one connection that listens for orders as long as it lives.
    """
    url = urlsplit(settings.CELERY_BROKER_URL)
    if not url.scheme.startswith(("redis", "valkey")):
        return None
    if url.scheme == "redis+socket":
        number = dict(parse_qsl(url.query)).get("virtual_host", "0")
        address = f"unix://{url.path}?db={number}"
    else:
        number = url.path.strip("/") or "0"
        address = url.geturl()
    try:
        listening: Any = cache.ask(lambda client: client.client_list(_type="pubsub"), url=address)
    except cache.Unreachable:
        return None
    return sum(each["db"] == number for each in listening)


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
