"""Fee plans: which one counts, what is frozen on a payment, and what nobody can change any more."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ledger.errors import Invalid
from ledger.money import Money
from payments.models import FeePlan, Merchant, Payment
from payments.services.fees import FeePlans, method_of, quote
from payments.services.merchants import FeePlanInUse, set_fee_plan
from payments.services.processing import process_payments, process_refunds
from tests.factories import (
    ALWAYS,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import t_accounts

pytestmark = pytest.mark.django_db

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", fees={})


def price(merchant: Merchant, basis_points: int, valid_from: date = MARCH, **more: object):
    return set_fee_plan(
        merchant, currency="EUR", basis_points=basis_points, valid_from=valid_from, **more
    )


def quoted(merchant: Merchant, on: date, method: str = "") -> int:
    return quote(merchant, eur("100.00"), on=on, method=method).fee.amount


def refused(statement: str) -> str:
    with (
        pytest.raises(IntegrityError) as refusal,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("source", "method"),
    [("tok_visa", "visa"), ("pm_card_visa", "card_visa"), ("imported", ""), ("", "")],
)
def test_method_is_what_the_token_says_after_its_kind(source: str, method: str) -> None:
    assert method_of(source) == method


def test_newest_plan_of_the_method_counts_before_one_for_any_method(shop: Merchant) -> None:
    price(shop, 100)
    price(shop, 200, APRIL)
    price(shop, 300, method="visa")

    assert quoted(shop, MARCH - timedelta(days=1)) == 0
    assert quoted(shop, MARCH) == quoted(shop, APRIL - timedelta(days=1)) == 1_00
    assert quoted(shop, APRIL) == quoted(shop, APRIL, "mastercard") == 2_00
    assert quoted(shop, MARCH, "visa") == quoted(shop, APRIL, "visa") == 3_00
    assert quote(shop, Money(100_00, "USD"), on=APRIL).plan is None
    assert FeePlans([shop]).fee_for(shop, eur("100.00"), on=MARCH) == 1_00


def test_payment_keeps_its_fee_and_plan_whatever_is_charged_later(shop: Merchant) -> None:
    plan = price(shop, 150, ALWAYS)
    visa = price(shop, 250, ALWAYS, method="visa")
    cards = [
        SucceededPaymentFactory(merchant=shop, money=eur("100.00"), source=source)
        for source in ("tok_mastercard", "tok_visa")
    ]
    failed = PaymentFactory(merchant=shop, source="tok_declined")
    process_payments()
    price(shop, 900, timezone.now().date())

    assert [(card.fee, card.fee_plan) for card in cards] == [(1_50, plan), (2_50, visa)]
    failed.refresh_from_db()
    assert (failed.status, failed.fee, failed.fee_plan) == ("FAILED", 0, None)
    assert Payment.objects.get(pk=cards[0].pk).fee == 1_50


def test_free_payment_posts_no_fee_line(shop: Merchant) -> None:
    price(shop, 0, ALWAYS)
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))

    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:sim:EUR", 100_00),
        ("credit", "merchant:shop:payable:EUR", 100_00),
    ]


def test_refund_goes_by_the_plan_of_its_payment(books: None, shop: Merchant) -> None:
    price(shop, 300, ALWAYS, refund_policy="proportional")
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    price(shop, 300, timezone.now().date(), refund_policy="none")

    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    assert refund.fee_returned == 1_20
    assert t_accounts(refund.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 40_00),
        ("credit", "clearing:sim:EUR", 40_00),
        ("debit", "income:fees:EUR", 1_20),
        ("credit", "merchant:shop:payable:EUR", 1_20),
    ]


def test_refunds_done_in_one_batch_give_back_as_one_by_one(books: None, shop: Merchant) -> None:
    price(shop, 290, ALWAYS, fixed=30, refund_policy="proportional")
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    refunds = [
        RefundFactory(payment=payment, money=eur(text)) for text in ("33.33", "33.33", "33.34")
    ]

    process_refunds()

    for refund in refunds:
        refund.refresh_from_db()
    assert sorted(refund.fee_returned for refund in refunds) == [1_06, 1_07, 1_07]


def test_dispute_costs_what_the_plan_of_its_payment_says(books: None, shop: Merchant) -> None:
    price(shop, 0, ALWAYS, dispute_fee=15_00)
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    price(shop, 0, timezone.now().date(), dispute_fee=99_00)

    dispute = DisputeFactory(payment=payment, money=eur("40.00"))

    assert dispute.fee == 15_00
    assert ("credit", "income:fees:EUR", 15_00) in t_accounts(dispute.public_id)


def test_no_plan_is_changed_and_none_that_has_begun_is_deleted(shop: Merchant) -> None:
    plan = price(shop, 100)
    today, tomorrow = timezone.now().date(), timezone.now().date() + timedelta(days=1)

    with pytest.raises(FeePlanInUse):
        price(shop, 200)
    assert price(shop, 100) == plan
    assert "append-only" in refused("UPDATE payments_feeplan SET basis_points = 1")
    assert "append-only" in refused("DELETE FROM payments_feeplan")
    price(shop, 100, today)
    with pytest.raises(FeePlanInUse):
        price(shop, 101, today)
    price(shop, 100, tomorrow)
    price(shop, 101, tomorrow)

    plans = FeePlan.objects.order_by("valid_from").values_list("basis_points", flat=True)
    assert list(plans) == [100, 100, 101]


@pytest.mark.parametrize(
    "prices",
    [
        {"basis_points": -1},
        {"basis_points": 10_001},
        {"fixed": -1},
        {"minimum": -1},
        {"dispute_fee": 2**31},
        {"minimum": 2, "maximum": 1},
        {"refund_policy": "half"},
    ],
    ids=str,
)
def test_prices_that_make_no_sense_are_refused(shop: Merchant, prices: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        set_fee_plan(shop, currency="EUR", valid_from=MARCH, **{"basis_points": 0, **prices})
    assert not FeePlan.objects.exists()


def test_payments_refunds_and_disputes_are_never_deleted() -> None:
    refund = SucceededRefundFactory(money=eur("1.00"))
    DisputeFactory(payment=refund.payment, money=eur("1.00"))

    for table in ("payments_dispute", "payments_refund", "payments_payment"):
        assert "append-only" in refused(f"DELETE FROM {table}")


def test_quote_command_says_what_a_payment_would_cost(shop: Merchant) -> None:
    price(shop, 290, fixed=30, method="visa")
    said, for_people = StringIO(), StringIO()
    about = ("100.00", "EUR", "--merchant", "shop", "--date", "2026-03-02")

    call_command("quote", *about, "--method", "visa", "--json", stdout=said)
    call_command("quote", *about, stdout=for_people)

    assert json.loads(said.getvalue()) == {
        "date": "2026-03-02",
        "amount": "100.00",
        "fee": "3.20",
        "net": "96.80",
        "currency": "EUR",
        "plan": "shop EUR visa from 2026-03-01",
    }
    assert for_people.getvalue().splitlines() == [
        "100.00 EUR on 2026-03-02: fee 0.00 EUR, net 100.00 EUR",
        "There is no fee plan.",
    ]
    for wrong in (("0.00", "EUR", "--merchant", "shop"), ("1", "EUR", "--merchant", "nobody")):
        with pytest.raises(CommandError):
            call_command("quote", *wrong)
