"""/payments/{id}/capture and /payments/{id}/cancel"""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import (
    AmountField,
    CurrencyField,
    StrictSerializer,
    read_money,
    render_json,
)
from payments.api.idempotency import KEY_HEADER, Done, once
from payments.api.payment_shapes import PaymentOutput, location_of
from payments.models import ApiKey, Payment
from payments.representations import represent_payment
from payments.selectors import payment_of
from payments.services.authorisations import cancel_payment, capture_payment


class CaptureInput(StrictSerializer):
    """How much to capture; without an amount, all of it. The rest is released."""

    amount = AmountField(required=False)
    currency = CurrencyField(required=False)


class CancelInput(StrictSerializer):
    """Nothing needs to be said."""


class PaymentCapture(APIView):
    """Take the money of an authorised payment (202: asked for, AUTHORIZED until it is done)."""

    permission_classes = [HasScope]
    scopes = {"POST": ApiKey.Scope.PAYMENTS_WRITE}

    @extend_schema(
        operation_id="capture_payment",
        request=CaptureInput,
        parameters=[KEY_HEADER],
        responses={202: PaymentOutput},
    )
    def post(self, request: Request, payment_id: str) -> HttpResponse:
        asked = CaptureInput(data=request.data)
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        payment = payment_of(caller_of(request).merchant, payment_id)
        money = None
        if "amount" in wish:
            money = read_money(wish["amount"], wish.get("currency", payment.currency))
        actor = caller_of(request).actor
        return once(
            request,
            "capture_payment",
            lambda: _done(capture_payment(payment, money=money, actor=actor)),
        )


class PaymentCancel(APIView):
    """Let the money of an authorised payment go (202: asked for, AUTHORIZED until it is done)."""

    permission_classes = [HasScope]
    scopes = {"POST": ApiKey.Scope.PAYMENTS_WRITE}

    @extend_schema(
        operation_id="cancel_payment",
        request=CancelInput,
        parameters=[KEY_HEADER],
        responses={202: PaymentOutput},
    )
    def post(self, request: Request, payment_id: str) -> HttpResponse:
        CancelInput(data=request.data).is_valid(raise_exception=True)
        payment = payment_of(caller_of(request).merchant, payment_id)
        actor = caller_of(request).actor
        return once(request, "cancel_payment", lambda: _done(cancel_payment(payment, actor=actor)))


def _done(payment: Payment) -> Done:
    return Done(
        202,
        render_json(represent_payment(payment)),
        location=location_of(payment),
        ring=doorbell.Kind.PAYMENTS,
    )
