"""A shop at Stripe, and what Stripe says about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import Merchant, Payment, Refund
from payments.services.gateways import choose_gateway
from tests.factories import (
    GatewayFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.stripe_account import StripeAccount


@pytest.fixture
def shop(stripe_server: StripeAccount) -> Merchant:
    """Its payments go through Stripe."""
    merchant = MerchantFactory(code="shop")
    GatewayFactory(code="stripe", adapter="stripe")
    choose_gateway(merchant, "stripe")
    return merchant


def paid(shop: Merchant) -> Payment:
    """100.00 EUR that Stripe took and we know of."""
    payment: Payment = SucceededPaymentFactory(
        merchant=shop, money=eur("100.00"), source="pm_card_visa"
    )
    return payment


def later(row: Payment | Refund) -> None:
    """The row waits for its next attempt, beyond any lease."""
    due_at = timezone.now() + timedelta(minutes=10)
    type(row)._default_manager.filter(pk=row.pk).update(due_at=due_at)


def refund_object(refund: Refund | None, payment: Payment, **fields: Any) -> dict[str, Any]:
    return {
        "id": "re_000002",
        "amount": 40_00,
        "currency": "eur",
        "payment_intent": payment.gateway_reference,
        "status": "succeeded",
        "metadata": {"tieout_key": refund.public_id} if refund else {},
        **fields,
    }


def dispute_object(payment: Payment, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "du_000009",
        "amount": 100_00,
        "currency": "eur",
        "payment_intent": payment.gateway_reference,
        "status": status,
        "created": 1_772_366_400,
        "metadata": {},
        **fields,
    }
