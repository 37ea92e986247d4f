"""/payments/{id}/refunds and /refunds/{id}"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountField, idempotency_key, read_money
from payments.api.pages import page_of
from payments.api.payments import KEY_HEADER
from payments.models import Refund
from payments.selectors import payment_of, refund_of, refunds_of
from payments.services.refunds import RefundWish, create_refund


class RefundInput(serializers.Serializer):
    """What a merchant gives back; without an amount, all that is left."""

    amount = AmountField(required=False)
    currency = serializers.CharField(max_length=3, min_length=3, required=False)
    reference = serializers.CharField(max_length=80, default="", allow_blank=True)
    reason = serializers.CharField(max_length=255, default="", allow_blank=True)


class RefundOutput(serializers.Serializer):
    id = serializers.CharField()
    payment_id = serializers.CharField()
    status = serializers.ChoiceField(Refund.Status.choices)
    amount = serializers.CharField()
    currency = serializers.CharField()
    reference = serializers.CharField()
    reason = serializers.CharField()
    failure_code = serializers.CharField(allow_null=True)
    failure_reason = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RefundPage(serializers.Serializer):
    results = RefundOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


def represent_refund(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.public_id,
        "payment_id": refund.payment.public_id,
        "status": refund.status,
        "amount": refund.money.text,
        "currency": refund.currency,
        "reference": refund.reference,
        "reason": refund.reason,
        "failure_code": refund.failure_code or None,
        "failure_reason": refund.failure_reason or None,
        "created_by": refund.created_by,
        "created_at": refund.created_at,
        "updated_at": refund.updated_at,
    }


class PaymentRefunds(APIView):
    """Refund a payment (202), or list its refunds."""

    permission_classes = [HasScope]

    @extend_schema(
        operation_id="create_refund",
        request=RefundInput,
        parameters=[KEY_HEADER],
        responses={202: RefundOutput},
    )
    def post(self, request: Request, payment_id: str) -> Response:
        key = idempotency_key(request)
        wish = RefundInput(data=request.data)
        wish.is_valid(raise_exception=True)
        data = wish.validated_data
        payment = payment_of(caller_of(request).merchant, payment_id)
        money = None
        if "amount" in data:
            money = read_money(data["amount"], data.get("currency", payment.currency))
        refund, is_replay = create_refund(
            payment,
            RefundWish(payment.public_id, money, data["reference"], data["reason"]),
            idempotency_key=key,
            actor=caller_of(request).actor,
        )
        if not is_replay:
            doorbell.ring(doorbell.Kind.REFUNDS)
        headers = {"Location": f"/api/v1/refunds/{refund.public_id}"}
        if is_replay:
            headers["Idempotent-Replayed"] = "true"
        return Response(represent_refund(refund), status=202, headers=headers)

    @extend_schema(operation_id="list_refunds", responses=RefundPage)
    def get(self, request: Request, payment_id: str) -> Response:
        payment = payment_of(caller_of(request).merchant, payment_id)
        rows = refunds_of(caller_of(request).merchant).filter(payment=payment)
        return page_of(rows, request, represent_refund)


class RefundDetail(APIView):
    """One refund."""

    permission_classes = [HasScope]

    @extend_schema(operation_id="get_refund", responses=RefundOutput)
    def get(self, request: Request, refund_id: str) -> Response:
        return Response(represent_refund(refund_of(caller_of(request).merchant, refund_id)))
