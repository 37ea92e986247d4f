"""Endpoints that listen to events; nothing is ever sent to them here."""

from typing import Any

from payments.models import Event, Merchant, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_endpoints import EndpointWish, create_endpoint
from tests.factories import ACTOR

URL = "https://93.184.216.34/tieout"  # an address: no name is looked up


def endpoint(merchant: Merchant | None, *event_types: str, url: str = URL) -> WebhookEndpoint:
    """An enabled one of the merchant's, or of the platform's; listens to everything by default."""
    wish = EndpointWish(url=url, event_types=list(event_types or ["*"]))
    return create_endpoint(merchant, wish, actor=ACTOR)[0]


def heard_by(listener: WebhookEndpoint) -> list[str]:
    """The types of the events there are deliveries of, in the order they were told."""
    rows = WebhookDelivery.objects.filter(endpoint=listener).order_by("event_id")
    return list(rows.values_list("event__type", flat=True))


def told_about(subject: str) -> list[tuple[int, str]]:
    events = Event.objects.filter(subject=subject).order_by("sequence")
    return [(event.sequence, event.type) for event in events]


def told(**which: Any) -> list[tuple[str, str]]:
    """Types and subjects of events, in the order they were told."""
    return list(Event.objects.filter(**which).order_by("pk").values_list("type", "subject"))
