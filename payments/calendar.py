"""Business days, as processors and banks count them."""

from datetime import date, timedelta

SATURDAY = 5


def add_business_days(day: date, days: int) -> date:
    """The business day `days` after `day` (T+n); Saturdays and Sundays do not count."""
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < SATURDAY
    return day
