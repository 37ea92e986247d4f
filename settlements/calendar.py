"""When merchants are settled, computed from their schedule and its calendar. Everything is pure.

Worked examples are in docs/settlement.md.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from holidays import HolidayBase, country_holidays, financial_holidays

from settlements.errors import UnknownHolidays
from settlements.models import SettlementSchedule

DAY = timedelta(days=1)
MIDNIGHT = time(0)
# No settlement day is further from the next one: a month, and holidays at the end of it.
DAYS_BETWEEN_MAX = 62


@cache
def holidays_of(place: str) -> HolidayBase:
    """The days of no business of a country (`DE`), a part of it (`DE-BE`) or a centre (`ECB`).

    By the `holidays` library, its weekend included. Raises UnknownHolidays.
    """
    country, _, part = place.partition("-")
    try:
        return country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        pass
    try:
        return financial_holidays(place)
    except NotImplementedError:
        raise UnknownHolidays(place) from None


def is_business_day(schedule: SettlementSchedule, day: date) -> bool:
    """Every day is one, unless the schedule keeps the holidays of a place."""
    return not schedule.holidays or holidays_of(schedule.holidays).is_working_day(day)


def end_of(schedule: SettlementSchedule, day: date) -> datetime:
    """The moment a business day ends, in UTC: at its cut-off, or at midnight.

    Wall clocks skip some times and show others twice. A skipped time counts as if the clock had not
    been put forward yet, of two equal ones the first counts: each day ends at exactly one moment.
    """
    last = day + DAY if schedule.cut_off == MIDNIGHT else day
    return datetime.combine(last, schedule.cut_off, schedule.time_zone).astimezone(UTC)


def is_settlement_day(schedule: SettlementSchedule, day: date) -> bool:
    """Whether a batch is closed at the end of this day.

    That is every business day, or the days of the week or month that the schedule names; one of
    them that is no business day waits for the next one that is.
    """
    if not is_business_day(schedule, day):
        return False
    if schedule.interval == SettlementSchedule.Interval.DAILY:
        return True
    while not _is_named(schedule, day):
        day -= DAY
        if is_business_day(schedule, day):
            return False
    return True


def _is_named(schedule: SettlementSchedule, day: date) -> bool:
    if schedule.interval == SettlementSchedule.Interval.WEEKLY:
        return day.isoweekday() in schedule.weekdays
    last = calendar.monthrange(day.year, day.month)[1]
    return day.day in {min(named, last) for named in schedule.month_days}


def takes_until(schedule: SettlementSchedule, period: date) -> datetime:
    """The moment up to which the batch of a settlement day takes what happened, in UTC.

    With a delay of n business days (T+n), a day's payments are in the batch of the n-th business
    day after it, or in the first one after that.
    """
    last = period
    for _ in range(schedule.delay_days - 1):
        last = _business_day_before(schedule, last)
    return end_of(schedule, last - DAY if schedule.delay_days else last)


def _business_day_before(schedule: SettlementSchedule, day: date) -> date:
    day -= DAY
    while not is_business_day(schedule, day):
        day -= DAY
    return day


def releases_reserve_on(schedule: SettlementSchedule, period: date) -> date:
    """From which business day on a batch gives back what the batch of this one keeps back."""
    return period + timedelta(days=schedule.reserve_days)


def in_force(schedules: list[SettlementSchedule], day: date) -> SettlementSchedule:
    """The one of a merchant's schedules, newest first, that a business day goes by."""
    return next(schedule for schedule in schedules if schedule.valid_from <= day)


def newest_period(schedules: list[SettlementSchedule], now: datetime) -> date | None:
    """The last settlement day that is over by now; None if two months had none."""
    day = now.astimezone(UTC).date() + DAY
    for _ in range(DAYS_BETWEEN_MAX):
        schedule = in_force(schedules, day)
        if end_of(schedule, day) <= now and is_settlement_day(schedule, day):
            return day
        day -= DAY
    return None
