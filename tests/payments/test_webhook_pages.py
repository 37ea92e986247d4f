"""The back office: endpoints and deliveries, and what people do with them."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import AuditEvent
from payments.events import Fact, tell
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_secrets import unseal
from tests.factories import MerchantFactory
from tests.support.endpoints import URL, endpoint

pytestmark = pytest.mark.django_db

CREATE = reverse("admin:payments_webhookendpoint_create")


def person(*permissions: str) -> Client:
    user = User.objects.create_user("nora", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_webhookendpoint", "view_webhookdelivery", *permissions]
        )
    )
    client = Client()
    client.force_login(user)
    return client


def step(record: WebhookEndpoint | WebhookDelivery, name: str) -> str:
    return reverse(f"admin:payments_{record._meta.model_name}_{name}", args=[record.pk])


def reasons() -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(actor_label="nora").order_by("pk")
    return [(event.action, event.reason) for event in found]


def test_secret_of_a_new_endpoint_is_shown_once() -> None:
    client = person("add_webhookendpoint")
    wish = {"url": URL, "event_types": "payment.succeeded, refund.*", "description": "ours"}

    shown = client.post(CREATE, wish, follow=True).content.decode()

    made = WebhookEndpoint.objects.get()
    secret = unseal(made.secret)
    assert (made.merchant, made.event_types) == (None, ["payment.succeeded", "refund.*"])
    assert secret in shown
    again = client.get(step(made, "change")).content.decode()
    assert made.public_id in again
    assert secret not in again
    assert bytes(made.secret).decode() not in again


def test_bad_wish_is_said_beside_the_form() -> None:
    client = person("add_webhookendpoint")

    inner = client.post(CREATE, {"url": "https://10.0.0.1/", "event_types": "*"})
    typo = client.post(CREATE, {"url": URL, "event_types": "pay.*"})

    assert "not on the public internet" in inner.content.decode()
    assert "no event that" in typo.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_endpoint_is_disabled_enabled_tested_and_removed_with_a_reason() -> None:
    made = endpoint(MerchantFactory())
    client = person(
        *(f"{step}_webhookendpoint" for step in ("disable", "enable", "test", "delete"))
    )

    for name in ("disable", "enable", "test", "remove"):
        without = client.post(step(made, name), {"reason": " "}).content.decode()
        assert "This field is required" in without
        assert client.post(step(made, name), {"reason": f"to {name}"}).status_code == 302

    assert reasons() == [
        ("webhook_endpoint.disabled", "to disable"),
        ("webhook_endpoint.enabled", "to enable"),
        ("webhook_endpoint.tested", "to test"),
        ("webhook_endpoint.removed", "to remove"),
    ]
    assert client.post(step(made, "enable"), {"reason": "again"}).status_code == 404


def test_rotated_secret_is_shown_once() -> None:
    made = endpoint(MerchantFactory())
    client = person("rotate_webhookendpoint")

    wish = {"reason": "leaked", "overlap_hours": "0"}
    shown = client.post(step(made, "rotate_secret"), wish, follow=True).content.decode()

    made.refresh_from_db()
    assert unseal(made.secret) in shown
    assert made.previous_secret is None
    assert reasons() == [("webhook_endpoint.secret_rotated", "leaked")]


def test_delivery_is_shown_with_its_attempts_and_sent_again() -> None:
    merchant = MerchantFactory()
    made = endpoint(merchant)
    tell([Fact("payment.failed", "pay_1", merchant.pk, {})], at=timezone.now())
    delivery = WebhookDelivery.objects.get()
    delivery.status, delivery.due_at = "FAILED", None
    delivery.save()
    WebhookAttempt.objects.create(
        delivery=delivery,
        number=1,
        asked_at=timezone.now(),
        milliseconds=5,
        status_code=500,
        answer="<b>busy</b>",
    )
    client = person("change_webhookdelivery", "replay_webhookendpoint")

    page = client.get(step(delivery, "change")).content.decode()
    client.post(step(delivery, "retry"), {"reason": "They are back."})
    wish = {"reason": "all", "since_0": "2026-01-01", "since_1": "00:00:00"}
    client.post(step(made, "replay"), wish)

    assert "&lt;b&gt;busy&lt;/b&gt;" in page
    delivery.refresh_from_db()
    assert delivery.status == "PENDING"
    assert reasons() == [
        ("webhook_delivery.retried", "They are back."),
        ("webhook_endpoint.replayed", "all"),
    ]


def test_who_may_only_look_changes_nothing() -> None:
    merchant = MerchantFactory()
    made = endpoint(merchant)
    client = person()

    assert client.get(step(made, "change")).status_code == 200
    for name in ("enable", "disable", "rotate_secret", "test", "replay", "remove"):
        assert client.post(step(made, name), {"reason": "x"}).status_code == 403
    assert client.post(CREATE, {"url": URL, "event_types": "*"}).status_code == 403
