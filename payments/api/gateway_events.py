"""/gateways/{code}/events: where gateways tell us what happened."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import doorbell
from payments.services.gateway_events import receive_message


class Receipt(serializers.Serializer):
    received = serializers.BooleanField()


class GatewayEvents(APIView):
    """Signed by the gateway; nobody else can send anything here."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="receive_gateway_event",
        auth=[],
        description=(
            "For gateways, not for merchants. The message is kept under its `id` and acted on"
            " later; sending it again changes nothing. Stripe signs with `Stripe-Signature`."
        ),
        request=OpenApiTypes.OBJECT,
        responses={200: Receipt},
    )
    def post(self, request: Request, code: str) -> Response:
        # The bytes as they came: the signature is over them.
        body = request._request.body
        if receive_message(code, headers=request.headers, body=body):
            doorbell.ring(doorbell.Kind.GATEWAY_EVENTS)
        return Response({"received": True})
