"""When jobs are due: business days computed from the calendar and its zones, never from ticks.

A period is named after its day, `2026-03-29`, or the moment it ends, `2026-03-29T14:15+00:00`, so
that names sort like time. Nothing here asks the clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Daily:
    """Each business day, at a time of the day after, when that has come in every zone.

    Wall clocks skip some times and show others twice. A skipped time counts as if the clock had not
    been put forward yet, of two equal ones the first counts: each day has exactly one moment.
    """

    at: time
    zones: Callable[[], Iterable[ZoneInfo]]

    def newest(self, now: datetime) -> str:
        """The last period that is due by now."""
        zones = list(self.zones())
        day = now.astimezone(UTC).date() + DAY
        while self._moment(day, zones) > now:
            day -= DAY
        return day.isoformat()

    def due_after(self, period: str, now: datetime, *, limit: int) -> list[str]:
        """The periods after this one that are due by now, oldest first, no more than `limit`."""
        zones = list(self.zones())
        periods: list[str] = []
        day = date.fromisoformat(period) + DAY
        while len(periods) < limit and self._moment(day, zones) <= now:
            periods.append(day.isoformat())
            day += DAY
        return periods

    def due_at(self, period: str) -> datetime:
        """The moment from which on this period is run, in UTC."""
        return self._moment(date.fromisoformat(period), self.zones())

    def next_after(self, period: str) -> str:
        return (date.fromisoformat(period) + DAY).isoformat()

    def _moment(self, day: date, zones: Iterable[ZoneInfo]) -> datetime:
        return max(datetime.combine(day + DAY, self.at, zone).astimezone(UTC) for zone in zones)


@dataclass(frozen=True)
class Every:
    """Each stretch of so many minutes of the day in UTC, once it is over; they divide the day."""

    minutes: int

    def newest(self, now: datetime) -> str:
        """The last period that is due by now."""
        moment = now.astimezone(UTC).replace(second=0, microsecond=0)
        past = (moment.hour * 60 + moment.minute) % self.minutes
        return _named(moment - timedelta(minutes=past))

    def due_after(self, period: str, now: datetime, *, limit: int) -> list[str]:
        """The periods after this one that are due by now, oldest first, no more than `limit`."""
        periods: list[str] = []
        end = self.due_at(period) + self._length
        while len(periods) < limit and end <= now:
            periods.append(_named(end))
            end += self._length
        return periods

    def due_at(self, period: str) -> datetime:
        """The moment from which on this period is run, in UTC: its end."""
        return datetime.fromisoformat(period)

    def next_after(self, period: str) -> str:
        return _named(self.due_at(period) + self._length)

    @property
    def _length(self) -> timedelta:
        return timedelta(minutes=self.minutes)


def _named(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


Schedule = Daily | Every
