"""Events are found by index however many there are, exactly those asked for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from payments.event_lists import EventsWanted, list_newest, list_oldest_ids
from payments.events import purge_events
from payments.models import Event, Merchant
from payments.services.webhook_deliveries import replay
from tests.factories import ACTOR, MerchantFactory
from tests.support.endpoints import endpoint
from tests.support.plans import looked_at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
DAYS = 40
EVENTS = 48_000  # 50 an hour
HOUR_OF_EVENTS = 50
PAGE = 26

# Every tenth event is the small merchant's. The busy one has one dispute, the very first event.
FILL = """
INSERT INTO payments_event
    (public_id, type, subject, sequence, data, merchant_id, created_at)
SELECT 'evt_' || n, CASE WHEN n = 1 THEN 'dispute.opened'
        WHEN n %% 10 = 0 THEN 'dispute.won' ELSE 'payment.succeeded' END,
    'pay_' || n, 1, '{}', CASE WHEN n %% 10 = 0 THEN %(small)s ELSE %(busy)s END,
    %(now)s::timestamptz - make_interval(days => %(days)s)
        + n * make_interval(days => %(days)s) / %(events)s
FROM generate_series(1, %(events)s) AS n
"""


@pytest.fixture
def busy() -> Merchant:
    merchant, small = MerchantFactory(), MerchantFactory()
    values = {"busy": merchant.pk, "small": small.pk, "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(FILL, {**values, "days": DAYS, "events": EVENTS})
        cursor.execute("ANALYZE payments_event")
    return merchant


def events_looked_at(**wanted: Any) -> int:
    """By the list of the newest ones; every scan must have been of an index."""
    scans = looked_at(lambda: list_newest(EventsWanted(**wanted), before=None, limit=PAGE))
    assert [scan for scan in scans if scan[:2] == ("payments_event", "Seq Scan")] == []
    return sum(rows for table, _, rows in scans if table == "payments_event")


def test_lists_look_at_few_events_whatever_is_asked_for(busy: Merchant) -> None:
    now = timezone.now()
    hours = DAYS * 24 + 1
    few = 3 * PAGE  # ids, then events; the small merchant's lie between the busy one's

    looked = {
        "all of it": events_looked_at(merchant=busy),
        "all of everybody's": events_looked_at(merchant=None),
        "frequent": events_looked_at(merchant=busy, types=["payment.succeeded"]),
        "rare": events_looked_at(merchant=busy, types=["dispute.opened"]),
        "none": events_looked_at(merchant=busy, types=["dispute.won", "dispute.lost"]),
        "rare of everybody's": events_looked_at(merchant=None, types=["dispute.opened"]),
        "of a subject": events_looked_at(merchant=busy, subject="pay_1"),
    }
    assert {name: rows for name, rows in looked.items() if rows > few} == {}

    before = now - (DAYS - 2) * DAY
    looked = {
        "old": events_looked_at(merchant=busy, until=before),
        "old of everybody's": events_looked_at(merchant=None, until=before),
        "a day": events_looked_at(merchant=busy, since=before, until=before + DAY),
        "a day's rare ones": events_looked_at(
            merchant=busy, types=["dispute.opened"], since=before, until=before + DAY
        ),
    }
    assert {n: rows for n, rows in looked.items() if rows > 48 + 2 * HOUR_OF_EVENTS + few} == {}

    recent = events_looked_at(merchant=busy, until=now - DAY)
    assert recent <= hours + 2 * HOUR_OF_EVENTS + few
    assert events_looked_at(merchant=busy, since=now + DAY) == 0
    assert events_looked_at(merchant=busy, until=now - 2 * DAYS * DAY) == 0


def test_replay_and_purge_look_at_what_they_take_and_at_hours(busy: Merchant) -> None:
    now, hours = timezone.now(), DAYS * 24 + 2
    ours, everybodys = endpoint(busy, "dispute.*"), endpoint(None, "dispute.opened")
    for listener in (ours, everybodys):
        scans = looked_at(lambda it=listener: list(replayable(it)))
        assert sum(rows for table, _, rows in scans if table == "payments_event") <= hours + 2

    assert replay(ours, since=now - DAYS * DAY, actor=ACTOR) == 1
    assert replay(everybodys, since=now - DAYS * DAY, actor=ACTOR) == 1
    scans = looked_at(lambda: purge_events(now=now + 50 * DAY + timedelta(minutes=30)))
    assert sum(rows for table, _, rows in scans if table == "payments_event") <= 3 * HOUR_OF_EVENTS


def replayable(listener: Any) -> Iterator[int]:
    types = ["dispute.opened", "dispute.won", "dispute.lost"]
    wanted = EventsWanted(
        merchant=listener.merchant,
        types=types if listener.merchant else types[:1],
        since=timezone.now() - DAYS * DAY,
    )
    yield from list_oldest_ids(wanted, limit=10_001)


def test_times_are_exact_however_late_an_event_was_written() -> None:
    """Ids follow the clock in general, and here they do not."""
    merchant = MerchantFactory()
    start = timezone.now().replace(minute=30, second=0, microsecond=0) - 2 * DAY
    hours = [5, 0, 9, 1, 1, 7, 3, 12, 2, 30, 4]
    for number, hour in enumerate(hours):
        Event.objects.create(
            merchant=merchant,
            type="payment.failed",
            subject=f"pay_{number}",
            sequence=1,
            data="{}",
            created_at=start + timedelta(hours=hour),
        )

    for since in range(-1, 32):
        for until in range(since + 1, 32):
            wanted = EventsWanted(
                merchant=merchant,
                since=start + timedelta(hours=since),
                until=start + timedelta(hours=until),
            )
            found = list_newest(wanted, before=None, limit=PAGE)
            expected = [f"pay_{n}" for n, hour in enumerate(hours) if since <= hour < until]
            assert [event.subject for event in found] == expected[::-1]
            oldest = list_oldest_ids(wanted, limit=2)
            assert oldest == [event.pk for event in found[::-1]][:2]


def test_nothing_is_found_where_nothing_is() -> None:
    wanted = EventsWanted(merchant=None, types=["payment.failed", "refund.failed"])

    assert list_newest(wanted, before=None, limit=PAGE) == []
    assert list_oldest_ids(wanted, limit=PAGE) == []
    for types in ([], ["payment.failed"], ["payment.failed", "refund.failed"]):
        ranged = EventsWanted(merchant=None, types=types, since=timezone.now())
        assert list_oldest_ids(ranged, limit=PAGE) == []
