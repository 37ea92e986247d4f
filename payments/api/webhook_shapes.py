"""How webhook endpoints and deliveries look on the wire."""

from typing import Any

from rest_framework import serializers

from payments.api.api_keys import MomentField
from payments.api.conventions import StrictSerializer
from payments.event_types import PATTERNS
from payments.models import WebhookDelivery, WebhookEndpoint
from payments.services.webhook_endpoints import OVERLAP_HOURS, OVERLAP_HOURS_MAX

URL_LENGTH_MAX = 2_000


class EventTypesField(serializers.ListField):
    """Which events are sent: names, families, or `*`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            child=serializers.ChoiceField(sorted(PATTERNS)),
            min_length=1,
            max_length=len(PATTERNS),
            help_text="Names such as payment.succeeded, families such as refund.*, or *.",
            **kwargs,
        )


class EndpointInput(StrictSerializer):
    """Where events are sent, and which."""

    url = serializers.CharField(
        max_length=URL_LENGTH_MAX, help_text="HTTPS, and public: it is looked up."
    )
    event_types = EventTypesField()
    description = serializers.CharField(max_length=255, default="", allow_blank=True)


class EndpointChange(StrictSerializer):
    """What is not sent stays as it is."""

    url = serializers.CharField(max_length=URL_LENGTH_MAX, required=False)
    event_types = EventTypesField(required=False)
    description = serializers.CharField(max_length=255, required=False, allow_blank=True)


class SecretRotationInput(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        default=OVERLAP_HOURS,
        help_text="How long the old secret signs too.",
    )


class ReasonInput(StrictSerializer):
    reason = serializers.CharField(max_length=255, default="", allow_blank=True)


class ReplayInput(StrictSerializer):
    """From `since` to before `until`, by when the events became true."""

    since = MomentField()
    until = MomentField(required=False, allow_null=True, default=None, help_text="Default: now.")


class NothingInput(StrictSerializer):
    """No fields."""


class WebhookEndpointOutput(serializers.Serializer):
    """An endpoint without its secret."""

    id = serializers.CharField()
    merchant_id = serializers.CharField(allow_null=True, help_text="Null: it is the platform's.")
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(WebhookEndpoint.Status.choices)
    disabled_reason = serializers.CharField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when every attempt has failed."
    )
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the secret before signs too."
    )
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class NewWebhookEndpointOutput(WebhookEndpointOutput):
    secret = serializers.CharField(help_text="Signs what is sent. It is shown only this once.")


class WebhookEndpointPage(serializers.Serializer):
    results = WebhookEndpointOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class DeliveryOutput(serializers.Serializer):
    """One event for one endpoint."""

    id = serializers.CharField()
    event_id = serializers.CharField(help_text="`webhook-id` of every attempt.")
    event_type = serializers.CharField()
    status = serializers.ChoiceField(WebhookDelivery.Status.choices)
    tries = serializers.IntegerField(help_text="Since it was last asked for.")
    next_try_at = serializers.DateTimeField(
        allow_null=True, help_text="Null while PENDING: it waits until the endpoint is enabled."
    )
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class AttemptOutput(serializers.Serializer):
    """One request to the endpoint and what came back."""

    number = serializers.IntegerField()
    asked_at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Null: no answer came.")
    error = serializers.CharField(allow_null=True)
    answer = serializers.CharField(help_text="The first 2,048 characters of its body.")


class DeliveryDetailOutput(DeliveryOutput):
    attempts = AttemptOutput(many=True, help_text="Oldest first.")


class DeliveryPage(serializers.Serializer):
    results = DeliveryOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class ReplayOutput(serializers.Serializer):
    deliveries = serializers.IntegerField(help_text="How many are due again.")
