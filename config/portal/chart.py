"""A merchant's payments of the last 30 days, drawn as columns."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate

from payments.models import Merchant, Payment

DAYS = 30
COLUMN_WIDTH = 10
Status = Payment.Status


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column, in hundredths of the chart's height, from its top."""

    tone: str
    top: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    day: date
    left: int
    succeeded: int
    failed: int
    other: int  # no outcome yet, authorised, canceled or expired
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`rate` is how many of a hundred that succeeded or failed did succeed; "" if none did."""

    columns: tuple[Column, ...]
    highest: int
    total: int
    rate: str

    @property
    def width(self) -> int:
        return len(self.columns) * COLUMN_WIDTH


def payments_chart(merchant: Merchant, now: datetime) -> Chart:
    """By day in the merchant's zone, today last."""
    today = now.astimezone(merchant.zone).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    begin = datetime.combine(days[0], time.min, merchant.zone)
    rows = (
        Payment.objects.filter(merchant=merchant, created_at__gte=begin)
        .order_by()
        .values_list(TruncDate("created_at", tzinfo=merchant.zone), "status")
        .annotate(Count("id"))
    )
    counts: dict[date, Counter[str]] = {day: Counter() for day in days}
    for day, status, number in rows:
        if day in counts:  # not one of tomorrow, from a clock that is ahead
            counts[day][status] += number
    total = sum(counts.values(), Counter[str]())
    ended = total[Status.SUCCEEDED] + total[Status.FAILED]
    highest = max(each.total() for each in counts.values())
    return Chart(
        columns=tuple(_column(at, day, counts[day], highest) for at, day in enumerate(days)),
        highest=highest,
        total=total.total(),
        rate=f"{100 * total[Status.SUCCEEDED] / ended:.1f} %" if ended else "",
    )


def _column(at: int, day: date, counts: Counter[str], highest: int) -> Column:
    succeeded, failed = counts[Status.SUCCEEDED], counts[Status.FAILED]
    other = counts.total() - succeeded - failed
    bars, top = [], 100.0
    for tone, number in (("good", succeeded), ("bad", failed), ("other", other)):
        height = 100 * number / (highest or 1)
        top -= height
        if number:
            bars.append(Bar(tone, f"{top:.2f}", f"{height:.2f}"))
    return Column(day, at * COLUMN_WIDTH, succeeded, failed, other, tuple(bars))
