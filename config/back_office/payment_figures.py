"""Payments of the last 30 days, and what nobody knows the outcome of."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from config.back_office.figures import Figure, list_url
from payments.models import Payment, Refund
from payments.services.enquiries import with_last_question, with_unknown_outcome
from payments.taken import count_taken

DAYS = 30
Status = Payment.Status
# Bottom to top in each day's column.
SHARES = {
    "good": {Status.SUCCEEDED},
    "bad": {Status.FAILED},
    "other": set(Status) - {Status.SUCCEEDED, Status.FAILED},
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a day's column, in hundredths of the chart's height, from its top."""

    tone: str
    top: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    figure: Figure
    left: int
    bars: tuple[Bar, ...]
    rate: str  # of those that ended one way or the other


@dataclass(frozen=True, slots=True)
class Payments:
    """`rate` is of succeeded ones among those that succeeded or failed."""

    states: tuple[Figure, ...]
    rate: str
    columns: tuple[Column, ...]
    highest: int
    first_day: date
    last_day: date

    @property
    def width(self) -> int:
        return len(self.columns) * 10


def payments_section(now: datetime) -> Payments:
    today = now.astimezone(settings.PLATFORM_ZONE).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    taken = count_taken(days, now=now)
    total = sum(taken.values(), Counter[str]())
    highest = max(counts.total() for counts in taken.values())
    window = f"{days[0]}..{days[-1]}"
    return Payments(
        states=tuple(
            Figure(
                status.title(),
                total[status],
                list_url(Payment, taken=window, status__exact=status),
                tone=_tone(status),
            )
            for status in Status
            if total[status]
        ),
        rate=_rate(total),
        columns=tuple(_column(at, day, taken[day], highest) for at, day in enumerate(days)),
        highest=highest,
        first_day=days[0],
        last_day=days[-1],
    )


def unknown_outcomes() -> dict[str, QuerySet[Any]]:
    return {
        "unknown_payments": with_unknown_outcome(with_last_question(Payment.objects.all())),
        "unknown_refunds": with_unknown_outcome(with_last_question(Refund.objects.all())),
    }


def _column(at: int, day: date, counts: Counter[str], highest: int) -> Column:
    figure = Figure(str(day), counts.total(), list_url(Payment, taken=f"{day}..{day}"))
    bars, top = [], 100.0
    for tone, statuses in SHARES.items():
        height = 100 * sum(counts[status] for status in statuses) / (highest or 1)
        top -= height
        if height:
            bars.append(Bar(tone, f"{top:.2f}", f"{height:.2f}"))
    return Column(figure, at * 10, tuple(bars), _rate(counts))


def _rate(counts: Counter[str]) -> str:
    ended = counts[Status.SUCCEEDED] + counts[Status.FAILED]
    return f"{100 * counts[Status.SUCCEEDED] / ended:.1f} %" if ended else ""


def _tone(status: str) -> str:
    return next((tone for tone in ("good", "bad") if status in SHARES[tone]), "")
