"""docs/settlement.md: its tables line by line, and its stories."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest

from config.embedded.places import CHECKOUT
from ledger.actors import Actor
from ledger.models import Account
from ledger.money import Money
from ledger.services.posting import post_all
from payments.models import Dispute, FeePlan, Merchant, Payment, Refund
from payments.services.disputes import win_dispute
from payments.services.fees import quote
from payments.services.merchants import set_fee_plan
from reconciliation.bookkeeping import entry_for_conversion, entry_for_merchant_conversion
from settlements.calendar import end_of, is_settlement_day, takes_until
from settlements.invariants import illegal_settlements
from settlements.models import ReserveHold, SettlementBatch, SettlementSchedule
from settlements.services.batches import run_settlement
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import (
    ALWAYS,
    DisputeFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balance
from tests.support.chores import Clock
from tests.support.doc_tables import read_table

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


# --- Stories ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_dispute_costs_its_fee_and_is_given_back_when_won_without_it(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100.00 on Monday, 40.00 of it disputed on Tuesday, won on Thursday; the dispute fee is 15."""
    merchant = MerchantFactory(code="shop", fees={})
    set_fee_plan(merchant, currency="EUR", basis_points=100, dispute_fee=15_00, valid_from=ALWAYS)
    clock = Clock(monkeypatch, datetime(2026, 3, 2, 12, tzinfo=UTC))
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    (monday,) = run_settlement(date(2026, 3, 2), actor=SYSTEM)
    clock.now += timedelta(days=1)
    dispute = DisputeFactory(payment=payment, money=eur("40.00"), effective_at=clock.now)
    (tuesday,) = run_settlement(date(2026, 3, 3), actor=SYSTEM)
    clock.now += timedelta(days=2)
    win_dispute(dispute, effective_at=clock.now, actor=SYSTEM)
    (thursday,) = run_settlement(date(2026, 3, 5), actor=SYSTEM)

    assert (dispute.fee, monday.net, monday.payout_amount) == (15_00, 99_00, 99_00)
    assert (tuesday.gross, tuesday.fee, tuesday.carried_out) == (-40_00, 15_00, -55_00)
    assert (thursday.gross, thursday.fee, thursday.carried_out) == (40_00, 0, -15_00)
    assert thursday.lines.get().won_dispute == dispute
    assert balance("merchant:shop:payable:EUR") == "-15.00"
    assert balance("income:fees:EUR") == "16.00"


@pytest.mark.django_db
def test_payment_in_another_currency_is_settled_once_it_is_converted(books: None) -> None:
    """100.00 USD less 3.20; the report makes 92.00 EUR of it, the merchant was promised 91.50."""
    merchant = MerchantFactory(code="shop", fees={"USD": (290, 30)})
    payment = SucceededPaymentFactory(merchant=merchant, money=Money(100_00, "USD"))
    Payment.objects.update(settlement_currency="EUR")
    day, at = payment.effective_at.date(), payment.effective_at
    assert run_settlement(day, actor=SYSTEM) == []

    about = {"key": "stl_1", "reference": payment.public_id, "effective_at": at}
    sold, bought, agreed = Money(100_00, "USD"), eur("92.00"), eur("91.50")
    post_all(
        [
            entry_for_conversion("sim", sold, bought, **about),
            entry_for_merchant_conversion(merchant, sold, agreed, bought, **about),
        ]
    )
    (batch,) = run_settlement(day, actor=SYSTEM)

    assert (batch.currency, batch.gross, batch.fee, batch.net) == ("EUR", 91_50, 2_93, 88_57)
    assert batch.payout_amount == 88_57
    assert {
        account.code: account.balance.money.text
        for account in Account.objects.select_related("balance")
    } == {
        "clearing:sim:USD": "0.00",
        "clearing:sim:EUR": "92.00",
        "merchant:shop:payable:USD": "0.00",
        "merchant:shop:payable:EUR": "0.00",
        "income:fees:USD": "0.00",
        "income:fees:EUR": "2.93",
        "fx:position:USD": "0.00",
        "fx:position:EUR": "0.00",
        "income:fx:EUR": "0.50",
        "payouts:due:EUR": "88.57",
    }
    assert run_settlement(day + timedelta(days=1), actor=SYSTEM) == []


@pytest.mark.django_db
def test_what_was_converted_is_refunded_disputed_and_won_back_at_the_rates_of_its_reports(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100.00 USD became 91.50 EUR. Then 20.00 USD are refunded, 40.00 disputed, and won again."""
    merchant = MerchantFactory(code="shop", fees={})
    terms = {"basis_points": 290, "fixed": 30, "dispute_fee": 15_00, "valid_from": ALWAYS}
    set_fee_plan(merchant, currency="USD", refund_policy="proportional", **terms)
    clock = Clock(monkeypatch, datetime(2026, 3, 2, 12, tzinfo=UTC))
    payment = SucceededPaymentFactory(merchant=merchant, money=Money(100_00, "USD"))
    Payment.objects.update(settlement_currency="EUR")
    payment.refresh_from_db()

    def report(subject: Payment | Refund | Dispute, sold: str, agreed: str, bought: str) -> None:
        """The day's report has converted it at the processor's rate, and we at the agreed one."""
        about = {
            "key": f"stl_{clock.now:%d}",
            "reference": subject.public_id,
            "effective_at": clock.now,
        }
        money = Money.of(sold, "USD"), eur(agreed), eur(bought)
        entry = entry_for_merchant_conversion(merchant, *money, **about)
        post_all([entry_for_conversion("sim", money[0], money[2], **about), entry])

    def settle() -> SettlementBatch:
        (batch,) = run_settlement(clock.now.date(), actor=SYSTEM)
        clock.now += timedelta(days=1)
        return batch

    report(payment, "100.00", "91.50", "92.00")
    batches = [settle()]
    refund = SucceededRefundFactory(payment=payment, money=Money(20_00, "USD"))
    report(refund, "-20.00", "-18.00", "-18.10")
    batches.append(settle())
    dispute = DisputeFactory(payment=payment, money=Money(40_00, "USD"), effective_at=clock.now)
    report(dispute, "-40.00", "-36.00", "-36.20")
    batches.append(settle())
    win_dispute(dispute, effective_at=clock.now, actor=SYSTEM)
    assert run_settlement(clock.now.date(), actor=SYSTEM) == []  # its report has not come
    clock.now += timedelta(days=1)
    report(dispute, "40.00", "36.80", "37.00")
    batches.append(settle())

    assert [(batch.gross, batch.fee, batch.carried_out) for batch in batches] == [
        (91_50, 2_93, 0),
        (-18_00, -58, -17_42),  # 0.64 USD of the fee are given back: at 0.90
        (-36_00, 13_50, -66_92),  # 15.00 USD
        (36_80, 0, -30_12),
    ]
    assert [line.kind for batch in batches for line in batch.lines.all()] == [
        "payment",
        "refund",
        "dispute",
        "won_dispute",
    ]
    assert balance("merchant:shop:payable:EUR") == "-30.12"
    assert balance("income:fees:EUR") == "15.85"
    # 0.50 of the payment, 0.10 and 0.20 lost, 0.20 of what was won.
    assert (balance("income:fx:EUR"), balance("expense:fx:EUR")) == ("0.70", "0.30")
    gone = ("merchant:shop:payable", "income:fees", "fx:position")
    assert {balance(f"{code}:USD") for code in gone} == {"0.00"}
    assert balance("fx:position:EUR") == "0.00"
    assert illegal_settlements() == []


def test_every_story_of_the_page_is_told_here() -> None:
    text = (CHECKOUT / "docs" / PAGE).read_text()

    told = set(re.findall(r"`(test_\w+)`", text))

    assert told == {name for name in globals() if name in told}
    assert len(told) == 3
    assert {policy for policy in FeePlan.RefundPolicy.values if f"`{policy}`" not in text} == set()
