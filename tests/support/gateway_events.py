"""Gateways that tell us what happened, at our door."""

import itertools
import json
import time
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from payments.gateways.signatures import signed_header
from payments.models import GatewayEvent, Payment, Refund
from payments.services.gateway_events import process_gateway_events
from payments.services.processing import process_payments, process_refunds
from tests.support.stripe_server import WEBHOOK_SECRET

_numbers = itertools.count(1)


def stripe_event(kind: str, thing: dict[str, Any], *, event_id: str = "") -> bytes:
    """An event as Stripe writes it."""
    event = {
        "id": event_id or f"evt_{next(_numbers):06d}",
        "object": "event",
        "type": kind,
        "created": 1_772_452_800,
        "livemode": False,
        "data": {"object": thing},
    }
    return json.dumps(event).encode()


def send(
    body: bytes,
    *,
    gateway: str = "stripe",
    header: str = "Stripe-Signature",
    secret: str = WEBHOOK_SECRET,
    seconds_ago: int = 0,
    signature: str | None = None,
) -> HttpResponse:
    """Post a message to its door, signed this many seconds ago."""
    if signature is None:
        signature = signed_header(body, secret=secret, at=int(time.time()) - seconds_ago)
    return Client(raise_request_exception=False).post(
        f"/api/v1/gateways/{gateway}/events",
        body,
        content_type="application/json",
        headers={header: signature},
    )


def hear(kind: str, thing: dict[str, Any]) -> GatewayEvent:
    """What becomes of a Stripe event when it is first acted on."""
    body = stripe_event(kind, thing)
    assert send(body).status_code == 200
    return act(GatewayEvent.objects.get(event_id=json.loads(body)["id"]))


def act(event: GatewayEvent) -> GatewayEvent:
    """Time passes until the event is due, and it is acted on."""
    GatewayEvent.objects.filter(pk=event.pk, due_at__isnull=False).update(
        due_at=timezone.now(), leased_until=timezone.now()
    )
    process_gateway_events()
    event.refresh_from_db()
    return event


def work_off() -> None:
    """The worker does what is due by now; what waits for later, or is leased, is left."""
    while process_payments() or process_refunds():
        pass


def make_due() -> None:
    """Pauses and leases are over."""
    for model in (Payment, Refund):
        model.objects.filter(due_at__isnull=False).update(
            due_at=timezone.now(), leased_until=timezone.now()
        )
