"""Worked examples of trade, with their figures: goods, currencies, other people's payments."""

import pytest

from payments.bookkeeping import entry_for_dispute_opened, entry_for_payment, entry_for_refund
from payments.models import Dispute, Gateway, Merchant, Payment, Refund
from reconciliation.bookkeeping import (
    entry_for_deposit,
    entry_for_payout_paid,
    entry_for_processor_fee,
    entry_for_processor_payout,
)
from settlements.bookkeeping import bank, entry_for_batch, entry_for_payout_sent
from settlements.models import Payout, SettlementBatch
from tests.factories import eur
from tests.support.entries import NOON
from tests.support.textbook import book, columns, post, total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_trader_buys_and_sells_on_credit_with_returns_discount_and_tax() -> None:
    """100 pieces at 40, five sent back; 60 sold at 70, two come back; 2 % off; tax of 19 %."""
    post(
        book("03-01", "capital", {"bank": "20,000"}, {"capital": "20,000"}),
        book(
            "03-02", "100 bought", {"inventory": "4,000", "input_tax": "760"}, {"payables": "4,760"}
        ),
        book("03-04", "5 sent back", {"payables": "238"}, {"inventory": "200", "input_tax": "38"}),
        book("03-08", "60 sold", {"receivables": "4,998"}, {"sales": "4,200", "output_tax": "798"}),
        book("03-08", "their cost", {"cost_of_sales": "2,400"}, {"inventory": "2,400"}),
        book(
            "03-10",
            "2 come back",
            {"sales_returns": "140", "output_tax": "26.60"},
            {"receivables": "166.60"},
        ),
        book("03-10", "into stock again", {"inventory": "80"}, {"cost_of_sales": "80"}),
        book(
            "03-11",
            "paid within ten days",
            {"payables": "4,522"},
            {"bank": "4,431.56", "inventory": "76", "input_tax": "14.44"},
        ),
        book("03-20", "the customer pays", {"bank": "4,831.40"}, {"receivables": "4,831.40"}),
        book("03-31", "tax", {"output_tax": "771.40"}, {"input_tax": "707.56", "bank": "63.84"}),
    )

    debits, credits = columns()
    assert debits == {
        "bank": "20,336.00",
        "cost_of_sales": "2,320.00",
        "inventory": "1,404.00",
        "sales_returns": "140.00",
    }
    assert credits == {"capital": "20,000.00", "sales": "4,200.00"}
    assert total(debits) == total(credits) == "24,200.00"


def test_currencies_are_exchanged_through_a_position_and_the_gain_is_what_is_left_on_it() -> None:
    """5,000 dollars bought at 0.92, 2,000 spent, 3,000 sold at 0.95: 3,000 × 0.03 are earned."""
    post(
        book("02-01", "capital", {"bank": "10,000"}, {"capital": "10,000"}),
        book(
            "02-02",
            "dollars bought at 0.92",
            {"bank USD": "5,000", "fx_position": "4,600"},
            {"fx_position USD": "5,000", "bank": "4,600"},
        ),
        book("02-10", "goods", {"purchases USD": "2,000"}, {"bank USD": "2,000"}),
        book(
            "02-20",
            "dollars sold at 0.95",
            {"bank": "2,850", "fx_position USD": "3,000"},
            {"fx_position": "2,850", "bank USD": "3,000"},
        ),
    )
    assert columns("USD") == ({"purchases": "2,000.00"}, {"fx_position": "2,000.00"})
    assert columns()[0] == {"bank": "8,250.00", "fx_position": "1,750.00"}

    post(
        book(
            "02-28",
            "goods at what the dollars cost",
            {"purchases": "1,840", "fx_position USD": "2,000"},
            {"fx_position": "1,840", "purchases USD": "2,000"},
        ),
        book("02-28", "the gain", {"fx_position": "90"}, {"exchange_gains": "90"}),
    )

    assert columns("USD") == ({}, {})
    debits, credits = columns()
    assert debits == {"bank": "8,250.00", "purchases": "1,840.00"}
    assert credits == {"capital": "10,000.00", "exchange_gains": "90.00"}
    assert total(debits) == total(credits) == "10,090.00"


def test_a_day_of_a_payment_facilitator_from_the_cards_to_the_bank() -> None:
    """Payments of 100 and 50, a refund of 40, a chargeback of 50; what is left is what we earn."""
    shop, gateway = Merchant(code="shop", public_id="mer_1"), Gateway(code="spay")
    big, small = (
        Payment(
            public_id=name,
            merchant=shop,
            gateway=gateway,
            amount=amount,
            amount_captured=amount,
            fee=fee,
            currency="EUR",
        )
        for name, amount, fee in (("pay_1", 100_00, 3_20), ("pay_2", 50_00, 1_75))
    )
    refund = Refund(public_id="re_1", merchant=shop, payment=big, amount=40_00, currency="EUR")
    chargeback = Dispute(
        public_id="dp_1",
        merchant=shop,
        payment=small,
        amount=50_00,
        fee=15_00,
        currency="EUR",
        effective_at=NOON,
    )

    post(
        entry_for_payment(big, NOON),
        entry_for_payment(small, NOON),
        entry_for_refund(refund, NOON),
        entry_for_dispute_opened(chargeback),
        *(
            entry_for_processor_fee("spay", eur(fee), key=name, reference=name, effective_at=NOON)
            for name, fee in (("pay_1", "1.65"), ("pay_2", "0.95"))
        ),
    )

    debits, credits = columns()
    assert debits == {"clearing:spay": "57.40", "expense:processing": "2.60"}
    assert credits == {"income:fees": "19.95", "merchant:shop:payable": "40.05"}
    assert total(debits) == total(credits) == "60.00"

    batch = SettlementBatch(public_id="sb_1", merchant=shop, currency="EUR", payout_amount=40_05)
    payout = Payout(public_id="mpo_1", merchant=shop, currency="EUR", amount=40_05)
    house_bank, arrived = bank("DE02", "EUR"), {"reference": "stl_1", "effective_at": NOON}
    post(
        entry_for_batch(batch, NOON),
        entry_for_payout_sent(payout, NOON),
        entry_for_processor_payout("spay", eur("57.40"), key="stl_1", **arrived),
        entry_for_deposit(house_bank, "spay", eur("57.40"), key="stl_2", **arrived),
        entry_for_payout_paid(house_bank, eur("40.05"), key="stl_3", **arrived),
    )

    debits, credits = columns()
    assert debits == {"bank:DE02": "17.35", "expense:processing": "2.60"}
    assert credits == {"income:fees": "19.95"}
    assert total(debits) == "19.95"
