"""The entries of docs/bookkeeping.md, to the cent: what each business event debits and credits."""

from datetime import timedelta

import pytest

from ledger.money import Money
from ledger.services.posting import post_entry
from payments.bookkeeping import (
    entry_for_dispute_opened,
    entry_for_payment,
    entry_for_refund,
    entry_for_wallet_funding,
    wallet,
)
from payments.models import Dispute
from payments.services.disputes import DisputeNotice, record_disputes
from tests.factories import (
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import query, t_accounts
from tests.support.entries import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def balances() -> dict[str, int]:
    """Every account by its normal side, minor units."""
    return dict(
        query(
            """
            SELECT code, CASE WHEN type IN ('asset', 'expense') THEN 1 ELSE -1 END
                * (debits - credits)
            FROM ledger_account JOIN ledger_accountbalance ON account_id = id
            """
        )
    )


def test_payment_of_100_with_a_fee_of_320() -> None:
    """2.90 % of 100.00 and 0.30: the processor owes 100.00, we owe 96.80, we earned 3.20."""
    payment = SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))

    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:sim:EUR", 100_00),
        ("credit", "merchant:shop:payable:EUR", 100_00),
        ("debit", "merchant:shop:payable:EUR", 3_20),
        ("credit", "income:fees:EUR", 3_20),
    ]
    assert balances() == {
        "clearing:sim:EUR": 100_00,
        "merchant:shop:payable:EUR": 96_80,
        "income:fees:EUR": 3_20,
    }


def test_payment_without_a_fee_has_no_fee_lines() -> None:
    payment = SucceededPaymentFactory(merchant__code="shop", merchant__fees={})

    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:sim:EUR", 100_00),
        ("credit", "merchant:shop:payable:EUR", 100_00),
    ]


def test_refund_of_40_keeps_the_fee() -> None:
    payment = SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))

    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    assert t_accounts(refund.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 40_00),
        ("credit", "clearing:sim:EUR", 40_00),
    ]
    assert balances() == {
        "clearing:sim:EUR": 60_00,
        "merchant:shop:payable:EUR": 56_80,
        "income:fees:EUR": 3_20,
    }


def test_full_refund_leaves_the_merchant_owing_the_fee() -> None:
    SucceededRefundFactory(payment__merchant__code="shop", payment__money=eur("100.00"))

    assert balances() == {
        "clearing:sim:EUR": 0,
        "merchant:shop:payable:EUR": -3_20,
        "income:fees:EUR": 3_20,
    }


def test_dispute_of_100_with_a_fee_of_15() -> None:
    payment = SucceededPaymentFactory(merchant__code="shop", money=eur("100.00"))
    (dispute,) = record_disputes([DisputeNotice(payment, "dp_at_spay", eur("100.00"), NOON)])
    dispute.fee = 15_00

    post_entry(entry_for_dispute_opened(dispute))

    assert t_accounts(dispute.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 100_00),
        ("credit", "clearing:sim:EUR", 100_00),
        ("debit", "merchant:shop:payable:EUR", 15_00),
        ("credit", "income:fees:EUR", 15_00),
    ]
    assert balances() == {
        "clearing:sim:EUR": 0,
        "merchant:shop:payable:EUR": -18_20,
        "income:fees:EUR": 18_20,
    }


def test_notice_of_a_dispute_that_comes_twice_is_one_dispute() -> None:
    payment = SucceededPaymentFactory()
    notice = DisputeNotice(payment, "dp_at_spay", eur("100.00"), NOON)

    (first,), (again,) = record_disputes([notice]), record_disputes([notice])
    for dispute in (first, again):
        post_entry(entry_for_dispute_opened(dispute))

    assert first == again
    assert Dispute.objects.count() == 1
    assert len(t_accounts(first.public_id)) == 2


def test_wallet_is_funded_from_equity() -> None:
    merchant = MerchantFactory(code="shop")
    ref = wallet(merchant, "account-123", "EUR")

    post_entry(entry_for_wallet_funding(ref, eur("250.00"), key="funding:1", effective_at=NOON))

    assert t_accounts("account-123") == [
        ("debit", "equity:opening:EUR", 250_00),
        ("credit", "account-123", 250_00),
    ]
    assert balances() == {"equity:opening:EUR": -250_00, "account-123": 250_00}


@pytest.mark.parametrize(
    ("currency", "amount", "fee"),
    [("JPY", 1_000, 29), ("KWD", 10_005, 290), ("EUR", 1, 1), ("EUR", 31, 31), ("EUR", 32, 31)],
)
def test_fee_is_rounded_in_the_units_of_the_currency_and_never_above_the_amount(
    currency: str, amount: int, fee: int
) -> None:
    fixed = 30 if currency == "EUR" else 0
    payment = SucceededPaymentFactory(
        merchant__fees={currency: (290, fixed)}, money=Money(amount, currency)
    )

    assert payment.fee == fee
    assert balances()[f"clearing:sim:{currency}"] == amount
    assert balances()[f"income:fees:{currency}"] == fee


def test_entries_say_what_they_are_about_and_when() -> None:
    refund = SucceededRefundFactory()

    paid, returned = (
        entry_for_payment(refund.payment, NOON),
        entry_for_refund(refund, NOON + timedelta(days=1)),
    )

    assert (paid.idempotency_key, paid.kind, paid.reference, paid.effective_at) == (
        f"payment:{refund.payment.public_id}",
        "payment",
        refund.payment.public_id,
        NOON,
    )
    assert (returned.idempotency_key, returned.kind, returned.reference) == (
        f"refund:{refund.public_id}",
        "refund",
        refund.public_id,
    )
