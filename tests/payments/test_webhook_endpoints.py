"""Endpoints: created, changed, disabled, enabled, removed, and their secrets."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.errors import Invalid
from ledger.models import AuditEvent
from payments.errors import EventTypesUnknown, TooManyEndpoints
from payments.events import Fact, tell
from payments.models import Merchant, ParkedWork, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_endpoints import (
    ENDPOINTS_MAX,
    EndpointWish,
    change_endpoint,
    create_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from payments.services.webhook_secrets import unseal
from tests.factories import ACTOR, MerchantFactory
from tests.support.endpoints import URL, endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchant() -> Merchant:
    return MerchantFactory()


def tell_one(merchant: Merchant, subject: str = "pay_1") -> WebhookDelivery:
    tell([Fact("payment.failed", subject, merchant.pk, {})], at=timezone.now())
    return WebhookDelivery.objects.latest("pk")


def actions() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="webhook_endpoint.").order_by("pk")
    return [event.action.split(".")[1] for event in found]


def test_secret_is_kept_sealed_and_told_once(merchant: Merchant) -> None:
    wish = EndpointWish(URL, ["refund.*", "payment.failed", "refund.*"], "shop")

    made, secret = create_endpoint(merchant, wish, actor=ACTOR)

    made.refresh_from_db()
    assert secret.startswith("whsec_")
    assert secret.encode() not in bytes(made.secret)
    assert unseal(made.secret) == secret
    assert (made.status, made.event_types) == ("ENABLED", ["payment.failed", "refund.*"])
    said = AuditEvent.objects.get(action="webhook_endpoint.created")
    assert said.subject == made.public_id
    assert said.after == {"url": URL, "event_types": made.event_types, "description": "shop"}


def test_unknown_events_and_inner_urls_are_refused(merchant: Merchant) -> None:
    with pytest.raises(EventTypesUnknown, match=r"'pay\.\*'"):
        endpoint(merchant, "pay.*", "payment.failed")
    with pytest.raises(Invalid) as refusal:
        endpoint(merchant, url="https://169.254.169.254/latest")

    assert refusal.value.code == "endpoint_url_refused"
    assert not WebhookEndpoint.objects.exists()


def test_merchant_has_twenty_and_removed_ones_do_not_count(merchant: Merchant) -> None:
    made = [endpoint(merchant) for _ in range(ENDPOINTS_MAX)]

    with pytest.raises(TooManyEndpoints, match="20 endpoints"):
        endpoint(merchant)
    endpoint(MerchantFactory())
    endpoint(None)
    remove_endpoint(made[0], actor=ACTOR)

    endpoint(merchant)


def test_change_is_what_was_sent_and_is_written_down_once(merchant: Merchant) -> None:
    made = endpoint(merchant, "*")

    changed = change_endpoint(made, event_types=["refund.*", "refund.*"], actor=ACTOR)
    again = change_endpoint(made, event_types=["refund.*"], actor=ACTOR)

    assert (changed.event_types, changed.url, again.event_types) == (
        ["refund.*"],
        URL,
        ["refund.*"],
    )
    assert actions() == ["created", "changed"]
    with pytest.raises(EventTypesUnknown):
        change_endpoint(made, event_types=["x"], actor=ACTOR)
    with pytest.raises(Invalid):
        change_endpoint(made, url="https://10.0.0.1/", event_types=["*"], actor=ACTOR)
    made.refresh_from_db()
    assert (made.url, made.event_types) == (URL, ["refund.*"])


def test_rotated_secret_signs_beside_the_new_one_for_a_while(merchant: Merchant) -> None:
    made, first = create_endpoint(merchant, EndpointWish(URL, ["*"]), actor=ACTOR)

    once, second = rotate_secret(made, actor=ACTOR)
    overlap = once.previous_secret_until - timezone.now()
    assert timedelta(hours=23, minutes=59) < overlap <= timedelta(hours=24)
    assert (unseal(once.secret), unseal(once.previous_secret)) == (second, first)

    twice, third = rotate_secret(made, overlap_hours=0, actor=ACTOR)
    assert len({first, second, third}) == 3
    assert unseal(twice.secret) == third
    assert (twice.previous_secret, twice.previous_secret_until) == (None, None)


def test_disabled_one_waits_with_its_deliveries_until_it_is_enabled(merchant: Merchant) -> None:
    made, other = endpoint(merchant), endpoint(merchant)
    tell_one(merchant)
    rows = WebhookDelivery.objects.filter(endpoint=made)
    rows.update(tries=4)

    disabled = disable_endpoint(made, actor=ACTOR, reason="Moving house.")
    disable_endpoint(made, actor=ACTOR)
    assert (disabled.status, disabled.disabled_reason) == ("DISABLED", "Moving house.")
    assert rows.get().due_at is None
    assert WebhookDelivery.objects.get(endpoint=other).due_at is not None
    tell_one(merchant, "pay_2")  # which it does not hear

    enabled = enable_endpoint(made, actor=ACTOR)
    enable_endpoint(made, actor=ACTOR)
    assert (enabled.status, enabled.disabled_reason) == ("ENABLED", "")
    waiting = rows.get()
    assert (waiting.status, waiting.tries) == ("PENDING", 0)
    assert waiting.due_at <= timezone.now()
    assert actions() == ["created", "created", "disabled", "enabled"]
    said = AuditEvent.objects.get(action="webhook_endpoint.enabled")
    assert said.after == {"deliveries_due": 1}


def test_one_that_failed_for_days_starts_afresh_when_it_is_enabled(merchant: Merchant) -> None:
    made = endpoint(merchant)
    long_ago = timezone.now() - timedelta(days=4)
    made.status, made.failing_since, made.concurrency = "DISABLED_AUTO", long_ago, 1
    made.save()
    tell_one(merchant)

    enabled = enable_endpoint(made, actor=ACTOR)

    assert (enabled.failing_since, enabled.concurrency) == (None, 4)
    assert WebhookDelivery.objects.get().due_at is not None


def test_enabling_leaves_to_a_person_what_waits_for_a_person(merchant: Merchant) -> None:
    made = endpoint(merchant)
    delivery = tell_one(merchant)
    disable_endpoint(made, actor=ACTOR)
    ParkedWork.objects.create(
        queue="payments_webhookdelivery",
        row_id=delivery.pk,
        subject=delivery.public_id,
        problem="x",
        attempts=1,
        deaths=3,
        failures=0,
    )

    enable_endpoint(made, actor=ACTOR)

    delivery.refresh_from_db()
    assert delivery.due_at is None


def test_removed_one_is_gone_and_is_sent_nothing(merchant: Merchant) -> None:
    made = endpoint(merchant)
    delivery = tell_one(merchant)
    held: dict[str, Any] = {"holder": 7, "leased_until": timezone.now() + timedelta(minutes=1)}
    WebhookDelivery.objects.update(**held)

    remove_endpoint(made, actor=ACTOR, reason="No longer ours.")
    remove_endpoint(made, actor=ACTOR)

    made.refresh_from_db()
    delivery.refresh_from_db()
    assert (made.status, made.removed_at is not None) == ("DISABLED", True)
    assert (delivery.status, delivery.due_at, delivery.holder) == ("FAILED", None, None)
    assert delivery.fence == 1  # whoever had it writes nothing
    assert actions() == ["created", "removed"]
