"""/payments/{id}/refunds and /refunds/{id}"""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import (
    AmountField,
    AmountText,
    CurrencyField,
    StrictSerializer,
    read_money,
    render_json,
)
from payments.api.idempotency import KEY_HEADER, Done, idempotency_key, once
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.gateways.base import FailureCode
from payments.models import ApiKey, Refund
from payments.representations import represent_refund
from payments.selectors import payment_of, refund_of, refunds_of
from payments.services.refunds import RefundWish, create_refund


class RefundInput(StrictSerializer):
    """What a merchant gives back; without an amount, all that is left."""

    amount = AmountField(required=False)
    currency = CurrencyField(required=False)
    reference = serializers.CharField(max_length=80, default="", allow_blank=True)
    reason = serializers.CharField(max_length=255, default="", allow_blank=True)


class RefundOutput(serializers.Serializer):
    id = serializers.CharField()
    payment_id = serializers.CharField()
    status = serializers.ChoiceField(Refund.Status.choices)
    amount = AmountText()
    currency = CurrencyField()
    fee_returned = AmountText(
        help_text="What of our fee it gave back, by the fee plan of its payment; known on success."
    )
    reference = serializers.CharField()
    reason = serializers.CharField()
    failure_code = serializers.ChoiceField(FailureCode.choices, allow_null=True)
    failure_reason = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class RefundPage(serializers.Serializer):
    results = RefundOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class PaymentRefunds(APIView):
    """Refund a payment (202), or list its refunds."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.PAYMENTS_READ, "POST": ApiKey.Scope.REFUNDS_WRITE}

    @extend_schema(
        operation_id="create_refund",
        request=RefundInput,
        parameters=[KEY_HEADER],
        responses={202: RefundOutput},
    )
    def post(self, request: Request, payment_id: str) -> HttpResponse:
        asked = RefundInput(data=request.data)
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        payment = payment_of(caller_of(request).merchant, payment_id)
        money = None
        if "amount" in wish:
            money = read_money(wish["amount"], wish.get("currency", payment.currency))

        def work() -> Done:
            refund = create_refund(
                payment,
                RefundWish(payment.public_id, money, wish["reference"], wish["reason"]),
                idempotency_key=idempotency_key(request),
                actor=caller_of(request).actor,
            )
            return Done(
                202,
                render_json(represent_refund(refund)),
                location=f"/api/v1/refunds/{refund.public_id}",
                ring=doorbell.Kind.REFUNDS,
            )

        return once(request, "create_refund", work)

    @extend_schema(
        operation_id="list_refunds",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=Refund.Status.values),
        ],
        responses=RefundPage,
    )
    def get(self, request: Request, payment_id: str) -> Response:
        payment = payment_of(caller_of(request).merchant, payment_id)
        rows = refunds_of(caller_of(request).merchant).filter(payment=payment)
        if status := choice_of(request, "status", Refund.Status.values):
            rows = rows.filter(status=status)
        return page_of(rows, request, represent_refund, filters={"status"})


class RefundDetail(APIView):
    """One refund."""

    permission_classes = [HasScope]

    @extend_schema(operation_id="get_refund", responses=RefundOutput)
    def get(self, request: Request, refund_id: str) -> Response:
        return Response(represent_refund(refund_of(caller_of(request).merchant, refund_id)))
