"""Payments by when they were taken: by the time in their public ids, which an index has in order.

A million payments are counted by parts. Parts that are over and in which nothing is open any more
never change: what they come to is kept in Redis, which may forget it at any time.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from redis import Redis

from ledger import sql
from payments import cache
from payments.models import Payment

IMPORTED = "imported"
# A row is written well within this time of getting its id.
GRACE = timedelta(minutes=2)
# Finished hours are kept, and finished minutes of what is not an hour yet.
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
KEPT_SECONDS = {HOUR: 40 * 24 * 3600, MINUTE: 3 * 3600}
FINAL = {status for status, then in Payment.TRANSITIONS.items() if not then}


@dataclass(frozen=True, slots=True)
class _Part:
    start: datetime
    length: timedelta

    @property
    def end(self) -> datetime:
        return self.start + self.length

    @property
    def key(self) -> str:
        name = connection.settings_dict["NAME"]
        seconds = int(self.length.total_seconds())
        return f"tieout:taken:{name}:{self.start.timestamp():.0f}:{seconds}"


def taken_between(first: datetime, end: datetime) -> Q:
    """Payments taken here from `first` on and before `end`."""
    return Q(public_id__gte=first_id(first), public_id__lt=first_id(end)) & ~Q(source=IMPORTED)


def taken_on(first: date, last: date) -> Q:
    """Payments taken on business days of the platform, both included."""
    return taken_between(_start(first), _start(last + timedelta(days=1)))


def first_id(moment: datetime) -> str:
    """No public id of a payment taken at the moment or later sorts before this."""
    return f"pay_{int(moment.timestamp() * 1000):012x}"


def count_taken(days: Iterable[date], *, now: datetime) -> dict[date, Counter[str]]:
    """How many payments of each status were taken on each business day of the platform."""
    parts = {day: _parts(day, now) for day in days}
    counted = _count([part for each in parts.values() for part in each], now)
    return {
        day: sum((counted[part] for part in each), Counter[str]()) for day, each in parts.items()
    }


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, settings.PLATFORM_ZONE).astimezone(UTC)


def _parts(day: date, now: datetime) -> list[_Part]:
    """The day in hours, and in minutes where an hour is not over yet."""
    at, end, parts = _start(day), _start(day + timedelta(days=1)), []
    while at < min(end, now + GRACE):
        length = HOUR if at + HOUR + GRACE <= now and at + HOUR <= end else MINUTE
        parts.append(_Part(at, length))
        at += length
    return parts


def _count(parts: list[_Part], now: datetime) -> dict[_Part, Counter[str]]:
    known = _recall(parts)
    missing = [part for part in parts if part not in known]
    if not missing:
        return known
    counted = {part: Counter[str]() for part in missing}
    for row in sql.rows(
        "payments",
        "count_payments_taken",
        first_ids=[first_id(part.start) for part in missing],
        last_ids=[first_id(part.end) for part in missing],
    ):
        counted[missing[row.stretch - 1]][row.status] = row.payments
    _keep({part: counts for part, counts in counted.items() if _is_over(part, counts, now)})
    return known | counted


def _is_over(part: _Part, counts: Counter[str], now: datetime) -> bool:
    return part.end + GRACE <= now and counts.keys() <= FINAL


def _recall(parts: list[_Part]) -> dict[_Part, Counter[str]]:
    keys = [part.key for part in parts]
    try:
        found: Any = cache.ask(lambda client: client.mget(keys)) if keys else []
    except cache.Unreachable:
        return {}
    return {
        part: Counter(json.loads(text)) for part, text in zip(parts, found, strict=True) if text
    }


def _keep(counted: dict[_Part, Counter[str]]) -> None:
    def write(client: Redis) -> None:
        pipe = client.pipeline(transaction=False)
        for part, counts in counted.items():
            pipe.set(part.key, json.dumps(counts), ex=KEPT_SECONDS[part.length])
        pipe.execute()

    try:
        cache.ask(write)
    except cache.Unreachable:
        return
