"""ASY-07: two beats and three workers for ten days, through the nights the clocks are changed.

Each merchant's business day is settled exactly once and none is missing; a payment belongs to the
day it was made on where its merchant is. Both beats are away for two days: what was missed is
caught up in order, once.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.db.models import Count
from django.utils import timezone

from config import timetable
from payments.models import JobRun, Merchant, Payment
from payments.schedules import Every
from payments.services import jobs
from payments.services.jobs import enqueue_due, run_due_jobs
from payments.services.processing import process_payments
from settlements.models import Settlement, SettlementBatch
from tests.factories import MerchantFactory, PaymentFactory, eur
from tests.support.books import assert_books_balance

BEATS, WORKERS = 2, 3
DAYS = 10
STEP = timedelta(hours=1)
ZONES = ("Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata")
MIDNIGHT, NOON, LAST = time(0), time(12), time(23, 59, 59, 999_999)
PATIENCE_SECONDS = 60


def local(day: date, clock: time, merchant: Merchant) -> datetime:
    return datetime.combine(day, clock, merchant.zone).astimezone(UTC)


def pay_every_day(first: date) -> None:
    """A payment at the first moment of each merchant's day, one at noon, one at the last moment.

    Nobody knows of a payment before it is made: until then it does not count for settlement.
    """
    merchants = [MerchantFactory(code=zone.split("/")[-1], time_zone=zone) for zone in ZONES]
    moments = [
        (merchant, local(first + timedelta(days=n), clock, merchant))
        for merchant in merchants
        for n in range(DAYS)
        for clock in (MIDNIGHT, NOON, LAST)
    ]
    payments = [PaymentFactory(merchant=merchant, money=eur("10.00")) for merchant, _ in moments]
    assert process_payments() == len(payments)
    for payment, (_, moment) in zip(payments, moments, strict=True):
        Payment.objects.filter(pk=payment.pk).update(effective_at=moment, is_settled_elsewhere=True)


class Simulation:
    """Everybody does what is to be done at one moment, together; then the clock goes on."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.beats_are_away = False
        self.is_over = False
        self.troubles: list[Exception] = []
        self.turn = threading.Barrier(BEATS + WORKERS + 1)
        actions = [self._tick] * BEATS + [self._work] * WORKERS
        self.threads = [
            threading.Thread(target=self._act, args=[action], daemon=True) for action in actions
        ]

    def run_until(self, end: datetime) -> None:
        while self.now < end:
            made = Payment.objects.filter(effective_at__lte=self.now, is_settled_elsewhere=True)
            made.update(is_settled_elsewhere=False)
            self._let_everybody_act()
            self.now += STEP

    def __enter__(self) -> "Simulation":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self._let_everybody_act()
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
        assert self.troubles == []

    def _let_everybody_act(self) -> None:
        self.turn.wait(PATIENCE_SECONDS)
        self.turn.wait(PATIENCE_SECONDS)

    def _act(self, action: Callable[[], None]) -> None:
        is_last = False
        while not is_last:
            self.turn.wait(PATIENCE_SECONDS)
            is_last = self.is_over
            try:
                action()
            except Exception as trouble:
                self.troubles.append(trouble)
            if is_last:
                connections.close_all()
            self.turn.wait(PATIENCE_SECONDS)

    def _tick(self) -> None:
        if not self.beats_are_away:
            enqueue_due(self.now)

    def _work(self) -> None:
        while run_due_jobs():
            pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("first_day", "away_from"),
    [
        pytest.param("2025-10-25", "2025-10-30", id="autumn, away between the two nights"),
        pytest.param("2025-10-25", "2025-10-25", id="autumn, away in the night of Europe/Berlin"),
        pytest.param("2025-03-07", "2025-03-12", id="spring of America/New_York"),
        pytest.param("2025-03-28", "2025-03-29", id="spring of Europe/Berlin, away in its night"),
    ],
)
def test_asy_07_each_business_day_is_settled_exactly_once(
    monkeypatch: pytest.MonkeyPatch, first_day: str, away_from: str
) -> None:
    first, away = date.fromisoformat(first_day), date.fromisoformat(away_from)
    monkeypatch.setattr(jobs, "_jobs", {job.name: job for job in timetable.JOBS})
    # Every three hours instead of every quarter of one: ten days have enough of them.
    monkeypatch.setitem(jobs._jobs, "settle", replace(jobs._jobs["settle"], schedule=Every(180)))
    pay_every_day(first)
    start = datetime.combine(first, time(), UTC)
    leaves, returns = (datetime.combine(away + timedelta(days=n), NOON, UTC) for n in (0, 2))

    with Simulation(start) as simulation:
        simulation.run_until(leaves)
        simulation.beats_are_away = True
        before = JobRun.objects.count()
        simulation.run_until(returns)
        assert JobRun.objects.count() == before
        simulation.beats_are_away = False
        # The last day is over everywhere at 05:10 UTC at the latest.
        simulation.run_until(start + timedelta(days=DAYS, hours=12))

    days = [first + timedelta(days=n) for n in range(DAYS)]
    batches = SettlementBatch.objects.values_list("merchant__code", "period")
    expected = [(zone.split("/")[-1], day) for zone in ZONES for day in days]
    assert sorted(batches) == sorted(expected)
    for merchant in Merchant.objects.all():
        assert set(
            Settlement.objects.filter(batch__merchant=merchant)
            .values_list("batch__period")
            .annotate(n=Count("pk"))
        ) == {(day, 3) for day in days}
    for line in Settlement.objects.select_related("payment", "batch__merchant"):
        assert line.payment.effective_at.astimezone(line.batch.merchant.zone).date() == (
            line.batch.period
        )
    assert_jobs_ran_once_in_order(first, simulation.now - STEP)
    assert_books_balance()


def assert_jobs_ran_once_in_order(first: date, end: datetime) -> None:
    """Each job for each of its periods up to the end, all done at the first attempt."""
    for job in jobs.every():
        written = JobRun.objects.filter(job=job.name).order_by("business_period")
        runs = [run for run in written if job.schedule.due_at(run.business_period) <= end]
        periods = [run.business_period for run in runs]
        assert periods[0][:10] <= str(first)
        assert periods[1:] == [job.schedule.next_after(period) for period in periods[:-1]]
        assert periods[-1] == job.schedule.newest(end)
        assert [run.status for run in runs] == ["SKIPPED"] + ["DONE"] * (len(runs) - 1)
        assert {(run.attempts, run.failures, run.deaths) for run in runs[1:]} == {(1, 0, 0)}
        began = [run.started_at or timezone.now() for run in runs[1:]]
        ended = [run.finished_at or timezone.now() for run in runs[1:]]
        assert all(end <= begin for end, begin in zip(ended, began[1:], strict=False))


def test_the_nights_in_question_change_the_clocks() -> None:
    """The days above would prove nothing in a year with other rules."""
    lengths = {
        (zone, night): datetime.combine(
            date.fromisoformat(night) + timedelta(days=1), time(), ZoneInfo(zone)
        ).astimezone(UTC)
        - datetime.combine(date.fromisoformat(night), time(), ZoneInfo(zone)).astimezone(UTC)
        for zone, night in (
            ("Europe/Berlin", "2025-10-26"),
            ("America/New_York", "2025-11-02"),
            ("America/New_York", "2025-03-09"),
            ("Europe/Berlin", "2025-03-30"),
        )
    }

    assert [length / timedelta(hours=1) for length in lengths.values()] == [25, 25, 23, 23]
