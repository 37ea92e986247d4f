"""Payments through Stripe from the worker's side: what is booked, and when nothing is."""

import pytest

from ledger.models import JournalEntry
from payments.models import Merchant, Payment
from payments.services.authorisations import capture_payment
from payments.services.gateways import choose_gateway
from payments.services.processing import process_payments, process_refunds
from tests.factories import (
    ACTOR,
    GatewayFactory,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.gateway_events import make_due
from tests.support.stripe_account import StripeAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def shop(db: None) -> Merchant:
    merchant = MerchantFactory(code="shop")
    GatewayFactory(code="stripe", adapter="stripe")
    choose_gateway(merchant, "stripe")
    return merchant


def test_payment_is_booked_to_the_clearing_of_its_gateway(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = PaymentFactory(merchant=shop, money=eur("100.00"), source="pm_card_visa")

    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.gateway_reference) == ("SUCCEEDED", "pi_000001")
    assert t_accounts(payment.public_id)[0] == ("debit", "clearing:stripe:EUR", 100_00)


@pytest.mark.parametrize("trouble", ["500_after", "reset_before", "reset_after", "500_kept"])
def test_payment_whose_answer_was_lost_is_booked_once(
    stripe_server: StripeAccount, shop: Merchant, trouble: str
) -> None:
    stripe_server.trouble = [trouble]
    payment = PaymentFactory(merchant=shop, source="pm_card_visa")

    process_payments()
    payment.refresh_from_db()
    assert (payment.status, JournalEntry.objects.count()) == ("PROCESSING", 0)
    make_due()
    process_payments()

    payment.refresh_from_db()
    assert (payment.status, len(stripe_server.intents)) == ("SUCCEEDED", 1)
    assert JournalEntry.objects.count() == 1


def test_nothing_is_booked_of_another_amount(stripe_server: StripeAccount, shop: Merchant) -> None:
    stripe_server.changes = {"amount_received": 9_999}
    payment = PaymentFactory(merchant=shop, source="pm_card_visa")

    process_payments()

    payment.refresh_from_db()
    assert (payment.status, JournalEntry.objects.count()) == ("PROCESSING", 0)


def test_payment_waits_for_the_secret_of_its_gateway(
    stripe_server: StripeAccount, shop: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_card_visa")
    with monkeypatch.context() as without:
        without.delenv("GATEWAY_STRIPE_SECRET_KEY")
        process_payments()
    payment.refresh_from_db()
    assert payment.status == "PROCESSING"

    make_due()
    process_payments()

    payment.refresh_from_db()
    assert payment.status == "SUCCEEDED"


def test_part_of_an_authorisation_is_captured_and_refunded(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = PaymentFactory(
        merchant=shop, money=eur("100.00"), source="pm_card_visa", capture="manual"
    )
    process_payments()
    payment.refresh_from_db()
    assert payment.status == "AUTHORIZED"
    assert payment.authorized_until is not None
    assert int(payment.authorized_until.timestamp()) == 1_900_000_000

    capture_payment(payment, money=eur("60.00"), actor=ACTOR)
    process_payments()
    payment.refresh_from_db()
    assert (payment.status, payment.captured_money) == ("SUCCEEDED", eur("60.00"))

    refund = RefundFactory(payment=payment, money=eur("20.00"))
    process_refunds()
    refund.refresh_from_db()
    assert (refund.status, refund.gateway_reference) == ("SUCCEEDED", "re_000002")
    assert t_accounts(refund.public_id) == [
        ("debit", "merchant:shop:payable:EUR", 20_00),
        ("credit", "clearing:stripe:EUR", 20_00),
    ]


def test_declined_payment_fails_with_a_documented_code(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_card_chargeDeclinedInsufficientFunds")

    process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.failure_code) == (Payment.Status.FAILED, "insufficient_funds")
    assert payment.failure_reason == "Your card was declined."
