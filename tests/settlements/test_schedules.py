"""Schedules: who is settled when, and that terms in writing stay as they are."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from config.configuration import load_configuration
from ledger.actors import Actor
from ledger.errors import DomainError, Invalid
from ledger.models import AuditEvent
from payments.models import Merchant
from settlements.calendar import newest_period
from settlements.errors import ScheduleInUse, ScheduleInvalid, UnknownHolidays
from settlements.models import SettlementBatch, SettlementSchedule
from settlements.selectors import schedules_of
from settlements.services.batches import periods_due, run_settlement, settle_due
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import ALWAYS, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.chores import Clock

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("tests")
MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)
FILE = """
[[merchants]]
code = "shop"
time_zone = "Europe/Berlin"

[[merchants.settlement_schedules]]
valid_from = 2026-03-01
cut_off = 17:00:00
interval = "weekly"
weekdays = [4, 1]
holidays = "DE-BE"
delay_days = 2
minimum_payouts = { EUR = 2500 }
reserve_basis_points = 1000
reserve_days = 90
"""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def set_for(merchant: Merchant, valid_from: date = ALWAYS, **terms: object) -> SettlementSchedule:
    return set_schedule(merchant, ScheduleTerms(**terms), valid_from=valid_from, actor=ACTOR)


def test_file_sets_a_schedule_once_and_says_so() -> None:
    assert load_configuration(FILE)[0] == "merchant shop: created"
    assert load_configuration(FILE) == []

    schedule = SettlementSchedule.objects.get()
    assert (schedule.zone, schedule.cut_off, schedule.weekdays) == (
        "Europe/Berlin",
        time(17),
        [1, 4],
    )
    assert (schedule.holidays, schedule.delay_days) == ("DE-BE", 2)
    assert schedule.minimum_payouts == {"EUR": 2500}
    assert AuditEvent.objects.filter(action="settlement_schedule.set").count() == 1
    with pytest.raises(ScheduleInUse):
        load_configuration(FILE.replace("delay_days = 2", "delay_days = 3"))
    (changed,) = load_configuration(FILE.replace("2026-03-01", "2026-04-01"))
    assert changed.startswith("merchant shop: settlement_schedules")


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ("delay_days = 61", ScheduleInvalid),
        ('interval = "yearly"', ScheduleInvalid),
        ('interval = "daily"', ScheduleInvalid),
        ("weekdays = [0]", ScheduleInvalid),
        ("month_days = [1]", ScheduleInvalid),
        ('weekdays = ["monday"]', DomainError),
        ('holidays = "XX"', UnknownHolidays),
        ('holidays = "DE-XX"', UnknownHolidays),
        ('zone = "Mars/Base"', ScheduleInvalid),
        ("minimum_payouts = { XXX = 1 }", Invalid),
        ('minimum_payouts = { EUR = "25.00" }', ScheduleInvalid),
        ("minimum_payouts = { EUR = -1 }", ScheduleInvalid),
        ("reserve_days = 0", ScheduleInvalid),
        ("reserve_basis_points = 10001", ScheduleInvalid),
        ("cut_off = 2026-03-01", DomainError),
    ],
)
def test_terms_that_make_no_sense_are_refused(wrong: str, refusal: type[Exception]) -> None:
    name = wrong.split(" = ")[0]
    lines = [line for line in FILE.splitlines() if not line.startswith(name)]

    with pytest.raises(refusal):
        load_configuration("\n".join([*lines, wrong]))

    assert not SettlementSchedule.objects.exists()
    assert not Merchant.objects.exists()


@pytest.mark.parametrize("statement", ["UPDATE {} SET delay_days = 9", "DELETE FROM {}"])
def test_no_schedule_is_edited(statement: str) -> None:
    set_for(MerchantFactory(), delay_days=1)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format("settlements_settlementschedule"))


def test_schedule_in_force_on_the_day_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = MerchantFactory(fees={})
    set_for(merchant, MONDAY + DAY, delay_days=1)
    set_for(merchant, MONDAY + 3 * DAY, interval="weekly", weekdays=[1])
    clock = Clock(monkeypatch, utc("2026-03-02T12:00"))
    counts = {}

    for number in range(9):
        SucceededPaymentFactory(merchant=merchant, money=eur("1.00"))
        for batch in run_settlement(MONDAY + number * DAY, actor=ACTOR):
            counts[f"{batch.period:%d}"] = batch.line_count
        clock.now += DAY

    # Monday at once; from Tuesday on a day later; from Thursday on only on Mondays, at once.
    assert counts == {"02": 1, "04": 1, "09": 6}


@pytest.mark.parametrize(
    ("terms", "now", "newest"),
    [
        ({}, "2026-03-02T23:59:59", "2026-03-01"),
        ({}, "2026-03-03T00:00:00", "2026-03-02"),
        ({"zone": "Pacific/Auckland"}, "2026-03-02T11:00:00", "2026-03-02"),
        ({"zone": "America/Los_Angeles"}, "2026-03-03T07:59:59", "2026-03-01"),
        ({"zone": "Europe/Berlin", "cut_off": time(17)}, "2026-03-02T16:00:00", "2026-03-02"),
        ({"holidays": "DE"}, "2026-03-08T12:00:00", "2026-03-06"),
        ({"interval": "monthly", "month_days": [31]}, "2026-03-30T12:00:00", "2026-02-28"),
        ({"zone": "Europe/Berlin", "cut_off": time(2, 30)}, "2026-03-29T01:29:59", "2026-03-28"),
        ({"zone": "Europe/Berlin", "cut_off": time(2, 30)}, "2026-03-29T01:30:00", "2026-03-29"),
        ({"zone": "Europe/Berlin", "cut_off": time(2, 30)}, "2026-10-25T00:30:00", "2026-10-25"),
    ],
)
def test_newest_period_that_is_over(terms: dict[str, object], now: str, newest: str) -> None:
    merchant = MerchantFactory()
    set_for(merchant, **terms)

    found = newest_period(schedules_of([merchant])[merchant.pk], utc(now))

    assert str(found) == newest


def test_each_day_of_two_years_ends_once_and_in_order() -> None:
    merchant = MerchantFactory(time_zone="America/Santiago")
    schedules = schedules_of([merchant])[merchant.pk]
    now, seen = utc("2025-12-31T12:00"), []

    while now < utc("2027-12-31T12:00"):
        newest = newest_period(schedules, now)
        if not seen or newest != seen[-1]:
            seen.append(newest)
        now += timedelta(minutes=30)

    assert seen == [seen[0] + number * DAY for number in range(731)]


def test_what_is_due_is_each_merchants_own_day(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = ("Pacific/Auckland", "UTC", "America/Los_Angeles")
    merchants = [MerchantFactory(code=zone.split("/")[-1], time_zone=zone) for zone in zones]
    set_for(MerchantFactory(code="weekly"), interval="weekly", weekdays=[5])
    Clock(monkeypatch, utc("2026-03-02T00:30"))
    for merchant in merchants:
        SucceededPaymentFactory(merchant=merchant, money=eur("10.00"))

    due = {
        closing.merchant.code: closing.period for closing in periods_due(utc("2026-03-03T00:00"))
    }
    assert due == {
        "Auckland": date(2026, 3, 2),
        "UTC": date(2026, 3, 2),
        "Los_Angeles": date(2026, 3, 1),
        "weekly": date(2026, 2, 27),
    }

    batches = settle_due(utc("2026-03-03T00:00"), actor=ACTOR)
    assert settle_due(utc("2026-03-03T00:00"), actor=ACTOR) == []

    # What Los Angeles calls Sunday is the same half past midnight.
    assert {batch.merchant.code: str(batch.period) for batch in batches} == {
        "Auckland": "2026-03-02",
        "UTC": "2026-03-02",
        "Los_Angeles": "2026-03-01",
    }


def test_command_closes_what_is_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock(monkeypatch, utc("2026-03-02T12:00"))
    SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))
    call_command("run_settlement")
    assert not SettlementBatch.objects.exists()

    clock.now += DAY
    call_command("run_settlement")
    call_command("run_settlement")

    (batch,) = SettlementBatch.objects.all()
    assert capsys.readouterr().out.splitlines() == [
        "0 batches closed.",
        f"{batch}  shop 2026-03-02 EUR net 96.80 payout 96.80",
        "1 batches closed.",
        "0 batches closed.",
    ]
