"""The stories of docs/settlement.md: the page names each by its test."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.actors import Actor
from ledger.models import Account
from ledger.money import Money
from ledger.services.posting import post_all
from payments.models import Dispute, Payment, Refund
from payments.services.disputes import win_dispute
from payments.services.merchants import set_fee_plan
from reconciliation.bookkeeping import entry_for_conversion, entry_for_merchant_conversion
from settlements.invariants import illegal_settlements
from settlements.models import SettlementBatch
from settlements.services.batches import run_settlement
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
from tests.support.doc_tables import page_text

SYSTEM = Actor.system("settlement")


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
    text = page_text("settlement.md")

    told = set(re.findall(r"`(test_\w+)`", text))

    assert told == {name for name in globals() if name in told}
    assert len(told) == 3
