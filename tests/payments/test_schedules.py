"""Business periods: the calendar and its zones say when they are due, on every night."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from payments.schedules import Daily, Every

BERLIN, NEW_YORK, KOLKATA = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Kolkata"))


def daily(at: str, *zones: ZoneInfo) -> Daily:
    return Daily(time.fromisoformat(at), lambda: zones)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "at", "period", "due_at"),
    [
        pytest.param(BERLIN, "02:30", "2025-03-28", "2025-03-29T01:30", id="before the gap"),
        pytest.param(BERLIN, "02:30", "2025-03-29", "2025-03-30T01:30", id="in the gap: 03:30"),
        pytest.param(BERLIN, "02:30", "2025-03-30", "2025-03-31T00:30", id="after the gap"),
        pytest.param(BERLIN, "02:30", "2025-10-25", "2025-10-26T00:30", id="twice: the first"),
        pytest.param(BERLIN, "02:30", "2025-10-26", "2025-10-27T01:30", id="after it came twice"),
        pytest.param(NEW_YORK, "02:30", "2025-03-08", "2025-03-09T07:30", id="gap in New York"),
        pytest.param(NEW_YORK, "01:30", "2025-11-01", "2025-11-02T05:30", id="twice in New York"),
        pytest.param(NEW_YORK, "00:10", "2025-11-02", "2025-11-03T05:10", id="the day after"),
        pytest.param(KOLKATA, "00:10", "2024-02-28", "2024-02-28T18:40", id="29 February is a day"),
        pytest.param(KOLKATA, "00:10", "2024-12-31", "2024-12-31T18:40", id="the end of a year"),
    ],
)
def test_day_is_due_at_one_moment(zone: ZoneInfo, at: str, period: str, due_at: str) -> None:
    assert daily(at, zone).due_at(period) == utc(due_at)


def test_day_is_due_when_it_is_over_everywhere() -> None:
    schedule = daily("00:10", BERLIN, NEW_YORK, KOLKATA)

    # Between the two nights New York is one hour nearer to Berlin.
    assert schedule.due_at("2025-10-29") == utc("2025-10-30T04:10")
    assert schedule.due_at("2025-11-02") == utc("2025-11-03T05:10")


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, KOLKATA], ids=str)
@pytest.mark.parametrize("at", ["00:00", "01:30", "02:30", "23:59"])
def test_each_day_of_a_year_comes_once_and_in_order(zone: ZoneInfo, at: str) -> None:
    schedule = daily(at, zone)
    now, known, seen = utc("2024-12-31T22:00"), "2024-12-20", []

    while now < utc("2026-01-03T00:00"):
        due = schedule.due_after(known, now, limit=31)
        seen += due
        known = seen[-1]
        assert schedule.newest(now) == known
        now += timedelta(minutes=37)

    days = [date.fromisoformat(period) for period in seen]
    assert days[0] == date(2024, 12, 21)
    assert days[-1] >= date(2025, 12, 31)
    assert {later - earlier for earlier, later in pairwise(days)} == {timedelta(days=1)}


def test_missed_days_come_oldest_first_and_not_too_many_at_once() -> None:
    schedule = daily("00:10", BERLIN)
    now = utc("2025-03-10T12:00")

    assert schedule.due_after("2025-03-06", now, limit=31) == [
        "2025-03-07",
        "2025-03-08",
        "2025-03-09",
    ]
    assert schedule.due_after("2025-03-06", now, limit=2) == ["2025-03-07", "2025-03-08"]
    assert schedule.due_after("2025-03-09", now, limit=31) == []


def test_asking_from_another_zone_changes_nothing() -> None:
    now = utc("2025-10-26T00:30")

    assert {
        daily("00:10", BERLIN).newest(now.astimezone(zone)) for zone in (NEW_YORK, KOLKATA)
    } == {"2025-10-25"}
    assert daily("00:10", BERLIN).next_after("2025-10-25") == "2025-10-26"


def test_a_stretch_is_due_when_it_is_over_and_named_after_that() -> None:
    quarters = Every(minutes=15)

    assert quarters.newest(utc("2026-03-02T12:14:59")) == "2026-03-02T12:00+00:00"
    assert quarters.newest(utc("2026-03-02T12:15")) == "2026-03-02T12:15+00:00"
    assert quarters.due_at("2026-03-02T12:15+00:00") == utc("2026-03-02T12:15")
    assert quarters.next_after("2026-03-02T23:45+00:00") == "2026-03-03T00:00+00:00"


def test_missed_stretches_come_oldest_first_and_not_too_many_at_once() -> None:
    quarters, now = Every(minutes=15), utc("2026-03-03T00:20")

    assert quarters.due_after("2026-03-02T23:30+00:00", now, limit=31) == [
        "2026-03-02T23:45+00:00",
        "2026-03-03T00:00+00:00",
        "2026-03-03T00:15+00:00",
    ]
    assert len(quarters.due_after("2026-03-01T00:00+00:00", now, limit=31)) == 31
    assert quarters.due_after("2026-03-03T00:15+00:00", now, limit=31) == []


def test_stretches_of_a_year_come_once_in_order_of_their_names() -> None:
    quarters, now = Every(minutes=15), utc("2025-01-01T00:00")
    seen = [quarters.newest(now)]

    while now < utc("2026-01-01T00:00"):
        now += timedelta(hours=5, minutes=7)
        seen += quarters.due_after(seen[-1], now, limit=31)

    assert seen == sorted(set(seen))
    moments = list(map(quarters.due_at, seen))
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(minutes=15)}
