"""What gateways tell us of refunds."""

import pytest

from ledger.models import JournalEntry
from payments.models import Merchant
from payments.services.processing import process_refunds
from tests.factories import (
    RefundFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.gateway_events import act, hear
from tests.support.gateway_news import later, paid, refund_object
from tests.support.stripe_account import StripeAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


# --- Refunds -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refund.updated"])
def test_news_of_a_refund_we_know(shop: Merchant, kind: str) -> None:
    payment = paid(shop)
    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    assert hear(kind, refund_object(refund, payment)).status == "PROCESSED"


def test_news_makes_a_waiting_refund_be_asked_about(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = paid(shop)
    refund = RefundFactory(payment=payment, money=eur("40.00"))
    stripe_server.trouble = ["500_after"]
    process_refunds()
    later(refund)

    event = hear("refund.updated", refund_object(refund, payment))
    assert event.status == "RECEIVED"
    process_refunds()

    refund.refresh_from_db()
    assert (refund.status, len(stripe_server.refunds)) == ("SUCCEEDED", 1)
    assert act(event).status == "PROCESSED"


def test_refund_that_fails_after_it_succeeded_is_for_a_person(shop: Merchant) -> None:
    payment = paid(shop)
    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    event = hear("refund.failed", refund_object(refund, payment, status="failed"))

    assert event.status == "FAILED"
    assert event.result == f"{refund} is SUCCEEDED, and failed at the gateway."


def test_refund_nobody_here_asked_for_is_for_a_person(shop: Merchant) -> None:
    payment = paid(shop)

    event = hear("refund.created", refund_object(None, payment))

    assert event.status == "FAILED"
    assert event.result == f"40.00 EUR of {payment} was refunded, but not by us."
    assert JournalEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "status"), [(40_00, "PROCESSED"), (10_00, "PROCESSED"), (40_01, "FAILED")]
)
def test_all_that_was_refunded_of_a_payment(shop: Merchant, amount: int, status: str) -> None:
    payment = paid(shop)
    SucceededRefundFactory(payment=payment, money=eur("40.00"))
    charge = {
        "id": "ch_000001",
        "payment_intent": payment.gateway_reference,
        "amount_refunded": amount,
        "currency": "eur",
        "metadata": {"tieout_key": payment.public_id},
    }

    assert hear("charge.refunded", charge).status == status
