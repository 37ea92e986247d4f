"""/payments"""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.money import Money
from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountField, idempotency_key, read_money
from payments.api.pages import page_of
from payments.errors import MerchantNotFound, UnknownStatus
from payments.models import Payment
from payments.selectors import payment_of, payments_of
from payments.services.payments import PaymentWish, create_payment

KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Yours; makes retries safe."
)


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
    merchant_id = serializers.CharField(required=False)


class PaymentOutput(serializers.Serializer):
    """A payment as the API shows it. Amounts are text in major units."""

    id = serializers.CharField()
    status = serializers.ChoiceField(Payment.Status.choices)
    amount = serializers.CharField()
    currency = serializers.CharField()
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


def represent_payment(payment: Payment) -> dict[str, Any]:
    captured = payment.amount if payment.status == Payment.Status.SUCCEEDED else 0
    currency = payment.currency
    return {
        "id": payment.public_id,
        "status": payment.status,
        "amount": payment.money.text,
        "currency": currency,
        "amount_captured": Money(captured, currency).text,
        "amount_refunded": Money(payment.amount_refunded, currency).text,
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


class Payments(APIView):
    """Take a payment (202: written down, processed soon), or list payments."""

    permission_classes = [HasScope]

    @extend_schema(
        operation_id="create_payment",
        request=PaymentInput,
        parameters=[KEY_HEADER],
        responses={202: PaymentOutput},
    )
    def post(self, request: Request) -> Response:
        key = idempotency_key(request)
        wish = PaymentInput(data=request.data)
        wish.is_valid(raise_exception=True)
        data = wish.validated_data
        merchant = caller_of(request).merchant
        if data.get("merchant_id", merchant.public_id) not in (merchant.public_id, merchant.code):
            raise MerchantNotFound(data["merchant_id"])
        payment, is_replay = create_payment(
            merchant,
            PaymentWish(
                money=read_money(data["amount"], data["currency"]),
                source=data["source"],
                reference=data["reference"],
                description=data["description"],
                metadata=data["metadata"],
            ),
            idempotency_key=key,
            actor=caller_of(request).actor,
        )
        if not is_replay:
            doorbell.ring(doorbell.Kind.PAYMENTS)
        headers = {"Location": f"/api/v1/payments/{payment.public_id}"}
        if is_replay:
            headers["Idempotent-Replayed"] = "true"
        return Response(represent_payment(payment), status=202, headers=headers)

    @extend_schema(
        operation_id="list_payments",
        parameters=[
            OpenApiParameter("limit", int),
            OpenApiParameter("cursor", str),
            OpenApiParameter("status", str, enum=Payment.Status.values),
            OpenApiParameter("reference", str),
        ],
        responses=PaymentPage,
    )
    def get(self, request: Request) -> Response:
        rows = payments_of(caller_of(request).merchant)
        if status := request.query_params.get("status"):
            if status not in Payment.Status.values:
                raise UnknownStatus(status)
            rows = rows.filter(status=status)
        if reference := request.query_params.get("reference"):
            rows = rows.filter(reference=reference)
        return page_of(rows, request, represent_payment)


class PaymentDetail(APIView):
    """One payment."""

    permission_classes = [HasScope]

    @extend_schema(operation_id="get_payment", responses=PaymentOutput)
    def get(self, request: Request, payment_id: str) -> Response:
        return Response(represent_payment(payment_of(caller_of(request).merchant, payment_id)))
