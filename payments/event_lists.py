"""Events by what is asked for: found by index however many there are, and listed without gaps."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.utils import timezone

from ledger import sql
from payments.models import Event, Merchant
from payments.models.events import KEPT_FOR
from payments.selectors import events_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsWanted:
    """Those of a merchant, or of all and the platform's own; whatever else is None does not matter.

    `since` is included, `until` is not; `after` is the event behind which they are.
    """

    merchant: Merchant | None
    types: Collection[str] | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Event | None = None


def list_newest(wanted: EventsWanted, *, before: int | None, limit: int) -> list[Event]:
    """Up to so many, newest first, from below the id `before` or from the top.

    The top is the newest event that no other can slip in below any more. So whoever asks for what
    is `after` the first of a list gets everything that was not in it.
    """
    last_id = read_event_horizon() if before is None else before - 1
    ids = _chosen_ids(_rows(wanted).filter(pk__lte=last_id), wanted.types, "-pk", limit)
    return list(Event.objects.filter(pk__in=ids).select_related("merchant").order_by("-pk"))


def list_oldest_ids(wanted: EventsWanted, *, limit: int) -> list[int]:
    """Ids of up to so many, oldest first."""
    return _chosen_ids(_rows(wanted), wanted.types, "pk", limit)


def read_event_horizon() -> int:
    """The id up to which every event there will ever be can be seen by later statements."""
    (row,) = sql.rows("payments", "read_event_horizon")
    return int(row.id)


def _rows(wanted: EventsWanted) -> QuerySet[Event]:
    """All but the types."""
    rows = events_of(wanted.merchant)
    if wanted.subject is not None:
        rows = rows.filter(subject=wanted.subject)
    if wanted.after is not None:
        rows = rows.filter(pk__gt=wanted.after.pk)
    if wanted.since is not None:
        rows = rows.filter(created_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(created_at__lt=wanted.until)
    return _near(rows, wanted)


def _near(rows: QuerySet[Event], wanted: EventsWanted) -> QuerySet[Event]:
    """Without those whose ids are far off its time, which would be looked at one by one."""
    now = timezone.now()
    hours = {
        "since": max(wanted.since or now - KEPT_FOR, now - KEPT_FOR),
        "until": wanted.until or datetime.max.replace(tzinfo=UTC),
    }
    if wanted.since is not None:
        (first,) = sql.rows("payments", "find_first_event", **hours)
        rows = rows.none() if first.id is None else rows.filter(pk__gte=first.id)
    if wanted.until is not None:
        (last,) = sql.rows("payments", "find_last_event", **hours)
        rows = rows.none() if last.id is None else rows.filter(pk__lte=last.id)
    return rows


def _chosen_ids(
    rows: QuerySet[Event], types: Collection[str] | None, order: str, limit: int
) -> list[int]:
    """The first so many of each type are looked up, however rare it is, and the first of those."""
    if types is None:
        return list(rows.order_by(order).values_list("pk", flat=True)[:limit])
    lists = [
        rows.filter(type=each).order_by(order).values_list("pk", flat=True)[:limit]
        for each in types
    ]
    if not lists:
        return []
    found = lists[0].union(*lists[1:], all=True) if len(lists) > 1 else lists[0]
    return sorted(found, reverse=order.startswith("-"))[:limit]
