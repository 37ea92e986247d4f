"""/payments"""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import render_json
from payments.api.idempotency import KEY_HEADER, Done, idempotency_key, once
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.payment_filters import FILTER_PARAMETERS, FILTERS, filter_payments
from payments.api.payment_shapes import (
    PaymentInput,
    PaymentOutput,
    PaymentPage,
    location_of,
    read_payment,
)
from payments.representations import represent_payment
from payments.selectors import payment_of, payments_of
from payments.services.payments import CREATE_PAYMENT, create_payment


class Payments(APIView):
    """Take a payment (202: written down, processed soon), or list payments."""

    permission_classes = [HasScope]

    @extend_schema(
        operation_id="create_payment",
        request=PaymentInput,
        parameters=[KEY_HEADER],
        responses={202: PaymentOutput},
    )
    def post(self, request: Request) -> HttpResponse:
        # What is plain and new never comes here: payments/api/express_lane.py answers it.
        wish = read_payment(request.data, caller_of(request).merchant)

        def work() -> Done:
            payment = create_payment(
                caller_of(request).merchant,
                wish,
                idempotency_key=idempotency_key(request),
                actor=caller_of(request).actor,
            )
            return Done(
                202,
                render_json(represent_payment(payment)),
                location=location_of(payment),
                ring=doorbell.Kind.PAYMENTS,
            )

        return once(request, CREATE_PAYMENT, work)

    @extend_schema(
        operation_id="list_payments",
        parameters=[*PAGE_PARAMETERS, *FILTER_PARAMETERS],
        responses=PaymentPage,
    )
    def get(self, request: Request) -> Response:
        rows = filter_payments(payments_of(caller_of(request).merchant), request)
        return page_of(rows, request, represent_payment, filters=FILTERS)


class PaymentDetail(APIView):
    """One payment."""

    permission_classes = [HasScope]

    @extend_schema(operation_id="get_payment", responses=PaymentOutput)
    def get(self, request: Request, payment_id: str) -> Response:
        return Response(represent_payment(payment_of(caller_of(request).merchant, payment_id)))
