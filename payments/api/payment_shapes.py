"""How payments look on the wire: what is asked, what is answered."""

from typing import Any

from rest_framework import serializers

from ledger.money import Money
from payments.api.conventions import AmountField, read_money
from payments.errors import MerchantNotFound
from payments.models import Merchant, Payment
from payments.services.payments import PaymentWish


class PaymentInput(serializers.Serializer):
    """What a merchant asks for."""

    amount = AmountField(help_text='Major units, e.g. "100.00".')
    currency = serializers.CharField(max_length=3, min_length=3, help_text="ISO 4217.")
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=80, help_text="Token of the card or account."
    )
    description = serializers.CharField(max_length=255, default="", allow_blank=True)
    reference = serializers.CharField(max_length=80, default="", allow_blank=True)
    metadata = serializers.DictField(child=serializers.CharField(max_length=500), default=dict)
    capture = serializers.ChoiceField(Payment.Capture.choices, default=Payment.Capture.AUTOMATIC)
    merchant_id = serializers.CharField(required=False)


class PaymentOutput(serializers.Serializer):
    """A payment as the API shows it. Amounts are text in major units."""

    id = serializers.CharField()
    status = serializers.ChoiceField(Payment.Status.choices)
    amount = serializers.CharField()
    currency = serializers.CharField()
    capture = serializers.ChoiceField(Payment.Capture.choices)
    amount_captured = serializers.CharField()
    amount_refunded = serializers.CharField()
    fee = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    reference = serializers.CharField()
    failure_code = serializers.CharField(allow_null=True)
    failure_reason = serializers.CharField(allow_null=True)
    merchant_id = serializers.CharField()
    created_by = serializers.CharField()
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class PaymentPage(serializers.Serializer):
    results = PaymentOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


def read_payment(data: Any, merchant: Merchant) -> PaymentWish:
    """What the merchant asks for. Raises DRF's ValidationError, Invalid, MerchantNotFound."""
    asked = PaymentInput(data=data)
    asked.is_valid(raise_exception=True)
    wish = asked.validated_data
    if wish.get("merchant_id", merchant.public_id) not in (merchant.public_id, merchant.code):
        raise MerchantNotFound(wish["merchant_id"])
    return PaymentWish(
        money=read_money(wish["amount"], wish["currency"]),
        source=wish["source"],
        reference=wish["reference"],
        description=wish["description"],
        metadata=wish["metadata"],
        capture=wish["capture"],
    )


def location_of(payment: Payment) -> str:
    return f"/api/v1/payments/{payment.public_id}"


def represent_payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "status": payment.status,
        "amount": payment.money.text,
        "currency": payment.currency,
        "capture": payment.capture,
        "amount_captured": payment.captured_money.text,
        "amount_refunded": Money(payment.amount_refunded, payment.currency).text,
        "fee": payment.fee_money.text,
        "source": payment.source,
        "description": payment.description,
        "reference": payment.reference,
        "failure_code": payment.failure_code or None,
        "failure_reason": payment.failure_reason or None,
        "merchant_id": payment.merchant.public_id,
        "created_by": payment.created_by,
        "metadata": payment.metadata,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
    }
