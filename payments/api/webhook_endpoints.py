"""/webhook-endpoints: where events are sent."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.auth import NO_STORE
from payments.api.authentication import HasScope, caller_of
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.platform import PLATFORM, merchant_asked_for
from payments.api.webhook_shapes import (
    EndpointChange,
    EndpointInput,
    NewWebhookEndpointOutput,
    ReasonInput,
    SecretRotationInput,
    WebhookEndpointOutput,
    WebhookEndpointPage,
)
from payments.models import ApiKey, WebhookEndpoint
from payments.representations import represent_endpoint
from payments.selectors import endpoint_of, endpoints_of
from payments.services.webhook_endpoints import (
    EndpointWish,
    change_endpoint,
    create_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)

READ, WRITE = ApiKey.Scope.EVENTS_READ, ApiKey.Scope.WEBHOOKS_WRITE


def endpoint_asked_for(request: Request, endpoint_id: str) -> WebhookEndpoint:
    """Raises EndpointNotFound, and DRF's PermissionDenied."""
    return endpoint_of(merchant_asked_for(request), endpoint_id)


def fields_of(request: Request, shape: Any) -> dict[str, Any]:
    """What the body says, as the shape has it. Raises DRF's ValidationError."""
    asked = shape(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class WebhookEndpoints(APIView):
    """Create an endpoint, whose secret is shown once, or list those there are."""

    permission_classes = [HasScope]
    scopes = {"GET": READ, "POST": WRITE}

    @extend_schema(
        operation_id="create_webhook_endpoint",
        parameters=[PLATFORM],
        request=EndpointInput,
        responses={201: NewWebhookEndpointOutput},
    )
    def post(self, request: Request) -> Response:
        merchant = merchant_asked_for(request)
        wish = EndpointWish(**fields_of(request, EndpointInput))
        endpoint, secret = create_endpoint(merchant, wish, actor=caller_of(request).actor)
        location = f"/api/v1/webhook-endpoints/{endpoint.public_id}"
        body = {**represent_endpoint(endpoint), "secret": secret}
        return Response(body, status=201, headers={**NO_STORE, "Location": location})

    @extend_schema(
        operation_id="list_webhook_endpoints",
        parameters=[*PAGE_PARAMETERS, PLATFORM],
        responses=WebhookEndpointPage,
    )
    def get(self, request: Request) -> Response:
        rows = endpoints_of(merchant_asked_for(request))
        return page_of(rows, request, represent_endpoint, filters={PLATFORM.name})


class WebhookEndpointDetail(APIView):
    """One endpoint: changed, or removed with all that is still to be sent to it."""

    permission_classes = [HasScope]
    scopes = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(
        operation_id="get_webhook_endpoint",
        parameters=[PLATFORM],
        responses=WebhookEndpointOutput,
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        return Response(represent_endpoint(endpoint_asked_for(request, endpoint_id)))

    @extend_schema(
        operation_id="change_webhook_endpoint",
        parameters=[PLATFORM],
        request=EndpointChange,
        responses=WebhookEndpointOutput,
    )
    def patch(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        changes = fields_of(request, EndpointChange)
        changed = change_endpoint(endpoint, actor=caller_of(request).actor, **changes)
        return Response(represent_endpoint(changed))

    @extend_schema(
        operation_id="remove_webhook_endpoint", parameters=[PLATFORM], responses={204: None}
    )
    def delete(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        remove_endpoint(endpoint, actor=caller_of(request).actor)
        return Response(status=204)


class WebhookSecretRotation(APIView):
    """A new secret, shown once; for a while both sign."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        parameters=[PLATFORM],
        request=SecretRotationInput,
        responses=NewWebhookEndpointOutput,
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        wish = fields_of(request, SecretRotationInput)
        endpoint, secret = rotate_secret(endpoint, actor=caller_of(request).actor, **wish)
        return Response({**represent_endpoint(endpoint), "secret": secret}, headers=NO_STORE)


class WebhookEndpointEnabling(APIView):
    """Events are sent to it again; what waited is due now."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="enable_webhook_endpoint",
        parameters=[PLATFORM],
        request=ReasonInput,
        responses=WebhookEndpointOutput,
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        wish = fields_of(request, ReasonInput)
        endpoint = enable_endpoint(endpoint, actor=caller_of(request).actor, **wish)
        return Response(represent_endpoint(endpoint))


class WebhookEndpointDisabling(APIView):
    """Nothing is sent to it; what is on its way waits, new events are not kept for it."""

    permission_classes = [HasScope]
    scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="disable_webhook_endpoint",
        parameters=[PLATFORM],
        request=ReasonInput,
        responses=WebhookEndpointOutput,
    )
    def post(self, request: Request, endpoint_id: str) -> Response:
        endpoint = endpoint_asked_for(request, endpoint_id)
        wish = fields_of(request, ReasonInput)
        endpoint = disable_endpoint(endpoint, actor=caller_of(request).actor, **wish)
        return Response(represent_endpoint(endpoint))
