"""The tables of docs/settlement.md, line by line."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from ledger.actors import Actor
from ledger.money import Money
from payments.models import FeePlan, Merchant, Payment
from payments.services.fees import quote
from payments.services.merchants import set_fee_plan
from settlements.calendar import end_of, is_settlement_day, takes_until
from settlements.models import ReserveHold, SettlementSchedule
from settlements.services.batches import run_settlement
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import (
    ALWAYS,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balance
from tests.support.chores import Clock
from tests.support.doc_tables import page_text, read_table

PAGE = "settlement.md"
SYSTEM = Actor.system("settlement")
NOON = time(12, tzinfo=UTC)


def rows(title: str) -> list[object]:
    """Each row of a table, named after what is in it."""
    found = read_table(PAGE, title)
    return [pytest.param(row, id=" ".join(filter(None, row.values()))) for row in found]


def minor(text: str, currency: str = "EUR") -> int:
    return Money.of(text, currency).amount if text else 0


# --- Fees ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows("fees"))
def test_fee(row: dict[str, str]) -> None:
    amount, _, currency = row["amount"].partition(" ")
    merchant = MerchantFactory(fees={})
    set_fee_plan(
        merchant,
        currency=currency,
        basis_points=int(row["basis points"]),
        fixed=minor(row["fixed"], currency),
        minimum=minor(row["minimum"], currency),
        maximum=minor(row["maximum"], currency) if row["maximum"] else None,
        valid_from=ALWAYS,
    )

    quoted = quote(merchant, Money.of(amount, currency), on=date(2026, 3, 2))

    assert quoted.fee == Money.of(row["fee"], currency)
    assert quoted.net + quoted.fee == quoted.money


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows("fees given back"))
def test_fee_given_back(books: None, row: dict[str, str]) -> None:
    merchant = MerchantFactory(code="shop", fees={})
    set_fee_plan(
        merchant,
        currency="EUR",
        basis_points=290,
        fixed=30,
        refund_policy=row["policy"],
        valid_from=ALWAYS,
    )
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    assert payment.fee_money == eur("3.20")

    given = [
        SucceededRefundFactory(payment=payment, money=eur(text)).fee_returned
        for text in row["refunds, one after the other"].split(", ")
    ]

    assert given == [minor(text) for text in row["given back with each"].split(", ")]
    assert balance("income:fees:EUR") == Money(3_20 - sum(given), "EUR").text


# --- The calendar ----------------------------------------------------------------------------


def schedule(text: str = "daily", **more: object) -> SettlementSchedule:
    """Of words: `weekly on 1, 4, T+2, holidays DE`."""
    interval, _, rest = text.partition(" on ")
    interval, _, daily_rest = interval.partition(", ")
    parts = [part for part in f"{rest}, {daily_rest}".split(", ") if part]
    days = [int(part) for part in parts if part.isdigit()]
    delays = [int(part[2:]) for part in parts if part.startswith("T+")]
    places = [part.removeprefix("holidays ") for part in parts if part.startswith("holidays ")]
    assert len(days) + len(delays) + len(places) == len(parts), text
    return SettlementSchedule(
        interval=interval,
        weekdays=days if interval == "weekly" else [],
        month_days=days if interval == "monthly" else [],
        delay_days=sum(delays),
        holidays="".join(places),
        **more,
    )


@pytest.mark.parametrize("row", rows("ends of days"))
def test_end_of_day(row: dict[str, str]) -> None:
    terms = schedule(zone=row["zone"], cut_off=time.fromisoformat(row["cut-off"]))

    ends = end_of(terms, date.fromisoformat(row["business day"]))

    assert ends == datetime.fromisoformat(row["ends (UTC)"]).replace(tzinfo=UTC)


@pytest.mark.parametrize("row", rows("settlement days"))
def test_settlement_days(row: dict[str, str]) -> None:
    terms = schedule(row["schedule"])
    day, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])

    found = []
    while day <= last:
        found += [f"{day:%d}"] if is_settlement_day(terms, day) else []
        day += timedelta(days=1)

    assert ", ".join(found) == row["settled on"]


@pytest.mark.parametrize("row", rows("what a batch takes"))
def test_what_a_batch_takes(row: dict[str, str]) -> None:
    terms = schedule(row["schedule"])
    period = date.fromisoformat(row["batch of"])
    assert is_settlement_day(terms, period)

    assert takes_until(terms, period) == end_of(
        terms, date.fromisoformat(row["takes until the end of"])
    )


# --- Batches day by day ----------------------------------------------------------------------


def live(merchant: Merchant, day: date, row: dict[str, str], clock: Clock, *, paid: str) -> None:
    """What happens on one day at noon."""
    clock.now = datetime.combine(day, NOON)
    if row[paid]:
        SucceededPaymentFactory(merchant=merchant, money=eur(row[paid]))
    if row["refunds"]:
        money = eur(row["refunds"])
        payments = Payment.objects.filter(merchant=merchant)
        payment = next(each for each in payments if each.refundable >= money)
        SucceededRefundFactory(payment=payment, money=money)


def text_of(amount: int) -> str:
    return Money(amount, "EUR").text


@pytest.mark.django_db
def test_carrying(books: None, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = MerchantFactory(code="shop", fees={})
    terms = ScheduleTerms(minimum_payouts={"EUR": 25_00})
    set_schedule(merchant, terms, valid_from=ALWAYS, actor=SYSTEM)
    clock = Clock(monkeypatch, datetime(2026, 3, 1, tzinfo=UTC))
    carried = ""

    for row in read_table(PAGE, "carrying"):
        day = date.fromisoformat(row["day"])
        live(merchant, day, row, clock, paid="payments less fees")
        batches = run_settlement(day, actor=SYSTEM)
        if row["net"]:
            (batch,) = batches
            shown = [batch.net, batch.carried_in, batch.payout_amount, batch.carried_out]
            assert [text_of(amount) for amount in shown] == [
                row[name] for name in ("net", "carried in", "payout", "carried out")
            ]
            carried = row["carried out"]
        else:
            assert batches == []
            assert row["carried out"] == carried
        assert balance("merchant:shop:payable:EUR") == carried


@pytest.mark.django_db
def test_reserve(books: None, monkeypatch: pytest.MonkeyPatch) -> None:
    merchant = MerchantFactory(code="shop", fees={})
    terms = ScheduleTerms(reserve_basis_points=1_000, reserve_days=7)
    set_schedule(merchant, terms, valid_from=ALWAYS, actor=SYSTEM)
    clock = Clock(monkeypatch, datetime(2026, 3, 1, tzinfo=UTC))
    in_reserve = 0

    for row in read_table(PAGE, "reserve"):
        day = date.fromisoformat(row["day"])
        live(merchant, day, row, clock, paid="payments")
        (batch,) = run_settlement(day, actor=SYSTEM)
        held = batch.lines.filter(reserve_held__isnull=False).values_list("net", flat=True)
        released = batch.lines.filter(reserve_released__isnull=False).values_list("net", flat=True)
        assert -sum(held) == minor(row["reserve held"])
        assert sum(released) == minor(row["reserve released"])
        assert text_of(batch.payout_amount) == row["payout"]
        in_reserve -= sum(held) + sum(released)
        assert balance("merchant:shop:reserve:EUR") == text_of(in_reserve)

    assert ReserveHold.objects.filter(settlement_when_released=None).count() == 1


def test_page_names_every_refund_policy() -> None:
    text = page_text(PAGE)

    assert [policy for policy in FeePlan.RefundPolicy.values if f"`{policy}`" not in text] == []
