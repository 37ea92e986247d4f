"""/webhook-endpoints/{id}/deliveries: how the sending went, and sending again."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.api.platform import PLATFORM
from payments.api.webhook_endpoints import READ, WRITE, endpoint_asked_for, fields_of
from payments.api.webhook_shapes import (
    DeliveryDetailOutput,
    DeliveryOutput,
    DeliveryPage,
    NothingInput,
    ReplayInput,
    ReplayOutput,
)
from payments.models import WebhookDelivery
from payments.representations import represent_attempt, represent_delivery
from payments.selectors import deliveries_of, delivery_of
from payments.services.webhook_deliveries import replay, retry_delivery, send_test

Status = WebhookDelivery.Status


class WebhookDeliveries(APIView):
    """What was sent to an endpoint, or is to be."""

    permission_classes = [HasScope]
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="list_webhook_deliveries",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=Status.values),
            OpenApiParameter("event", str, description="Id of the event that is sent."),
            PLATFORM,
        ],
        responses=DeliveryPage,
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        rows = deliveries_of(endpoint_asked_for(request, endpoint_id))
        if status := choice_of(request, "status", Status.values):
            rows = rows.filter(status=status)
        if (event := request.query_params.get("event")) is not None:
            rows = rows.filter(event__public_id=event)
        filters = {"status", "event", PLATFORM.name}
        return page_of(rows, request, represent_delivery, filters=filters)


class WebhookDeliveryDetail(APIView):
    """One delivery with its attempts."""

    permission_classes = [HasScope]
    scopes = {"GET": READ}

    @extend_schema(
        operation_id="get_webhook_delivery",
        parameters=[PLATFORM],
        responses=DeliveryDetailOutput,
    )
    def get(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        delivery = delivery_of(endpoint_asked_for(request, endpoint_id), delivery_id)
        attempts = [represent_attempt(attempt) for attempt in delivery.attempts_made.all()]
        return Response({**represent_delivery(delivery), "attempts": attempts})


class WebhookDeliveryRetry(APIView):
    """Send it now, whatever became of it: the same event under the same id."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="retry_webhook_delivery",
        parameters=[PLATFORM],
        request=NothingInput,
        responses={202: DeliveryOutput},
    )
    def post(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        delivery = delivery_of(endpoint_asked_for(request, endpoint_id), delivery_id)
        fields_of(request, NothingInput)
        retried = retry_delivery(delivery, actor=caller_of(request).actor)
        return Response(represent_delivery(retried), status=202)


class WebhookReplay(APIView):
    """Send what an endpoint listens to again, from one moment to before another."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="replay_webhook_events",
        parameters=[PLATFORM],
        request=ReplayInput,
        responses={202: ReplayOutput},
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        wish = fields_of(request, ReplayInput)
        count = replay(endpoint, actor=caller_of(request).actor, **wish)
        return Response({"deliveries": count}, status=202)


class WebhookTest(APIView):
    """Send the endpoint an event of the type `webhook.test`."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="test_webhook_endpoint",
        parameters=[PLATFORM],
        request=NothingInput,
        responses={202: DeliveryOutput},
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        fields_of(request, NothingInput)
        delivery = send_test(endpoint, actor=caller_of(request).actor)
        return Response(represent_delivery(delivery), status=202)
