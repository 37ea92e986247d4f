"""Business days of a source as moments."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day in the zone, in UTC: when what a line says took effect."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after the day in the zone, in UTC."""
    return start_of(day + timedelta(days=1), zone)
