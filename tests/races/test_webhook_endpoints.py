"""Endpoints that are enabled, disabled and removed while events are being told."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from payments.events import Fact, tell
from payments.models import Merchant, ParkedWork, WebhookDelivery, WebhookEndpoint
from payments.services.couriers import claim
from payments.services.parking import park
from payments.services.webhook_endpoints import (
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    settle_strays,
)
from payments.stats import queue_states
from tests.factories import ACTOR, MerchantFactory
from tests.support.endpoints import endpoint
from tests.support.races import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def test_event_told_while_its_endpoint_is_enabled_does_not_wait_for_ever() -> None:
    merchant = MerchantFactory()
    listener = endpoint(merchant)
    listener.status = listener.Status.DISABLED_AUTO
    listener.save()

    with transaction.atomic():
        tell([Fact("payment.failed", "pay_1", merchant.pk, {})], at=timezone.now())
        (enabled,) = run_together(lambda: enable_endpoint(listener, actor=ACTOR))

    assert enabled.status == "ENABLED"
    assert [row.endpoint for row in claim(1)] == [listener]


def test_event_told_while_its_endpoint_is_shut_waits_until_it_is_enabled() -> None:
    merchant = MerchantFactory()
    listener = endpoint(merchant)
    listener.status = listener.Status.DISABLED_AUTO
    listener.save()

    with transaction.atomic():
        tell([Fact("payment.failed", "pay_1", merchant.pk, {})], at=timezone.now())
        run_together(lambda: disable_endpoint(listener, actor=ACTOR))

    assert WebhookDelivery.objects.get().due_at is None
    enable_endpoint(listener, actor=ACTOR)
    assert WebhookDelivery.objects.get().due_at <= timezone.now()


def waiting() -> tuple[int, int]:
    """Deliveries that are counted as due, now or later."""
    now = timezone.now()
    (state,) = [each for each in queue_states(now) if each.queue == "payments_webhookdelivery"]
    return state.message_count, state.scheduled_count


def told_while(merchant: Merchant, change: Callable[[], object]) -> WebhookDelivery:
    with transaction.atomic():
        tell([Fact("payment.failed", "pay_1", merchant.pk, {})], at=timezone.now())
        (outcome,) = run_together(change)
        assert not isinstance(outcome, Exception)
    return WebhookDelivery.objects.get()


@pytest.mark.parametrize("status", ["ENABLED", "DISABLED_AUTO"])
def test_event_told_while_its_endpoint_is_removed_is_over(status: str) -> None:
    merchant = MerchantFactory()
    listener = endpoint(merchant)
    WebhookEndpoint.objects.update(status=status)

    delivery = told_while(merchant, lambda: remove_endpoint(listener, actor=ACTOR))
    assert delivery.status == "PENDING"
    assert claim(1) == []

    delivery.refresh_from_db()
    assert (delivery.status, delivery.due_at, delivery.holder) == ("FAILED", None, None)
    assert delivery.problem == "The endpoint was removed."
    assert waiting() == (0, 0)


def test_event_told_while_its_endpoint_is_disabled_waits_for_it() -> None:
    merchant = MerchantFactory()
    listener = endpoint(merchant)

    told_while(merchant, lambda: disable_endpoint(listener, actor=ACTOR))
    assert waiting() == (1, 0)
    assert claim(1) == []

    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.due_at) == ("PENDING", None)
    assert waiting() == (0, 0)
    assert enable_endpoint(listener, actor=ACTOR).status == "ENABLED"
    assert [row.pk for row in claim(1)] == [delivery.pk]


def test_what_is_as_its_endpoint_says_is_left_alone() -> None:
    """Due of one that is enabled, in hand or waiting of one that is disabled, parked of both."""
    merchant = MerchantFactory()
    enabled, disabled = endpoint(merchant), endpoint(merchant)
    for number in range(3):
        tell([Fact("payment.failed", f"pay_{number}", merchant.pk, {})], at=timezone.now())
    for row in claim(6):
        if row.event.subject == "pay_0":
            park(row, "It cannot be done.")
        elif row.event.subject == "pay_1" and row.endpoint == enabled:
            WebhookDelivery.objects.filter(pk=row.pk).update(holder=None)
        elif row.event.subject == "pay_1":
            WebhookDelivery.objects.filter(pk=row.pk).update(leased_until=timezone.now())
    disable_endpoint(disabled, actor=ACTOR)
    before = list(WebhookDelivery.objects.order_by("pk").values())

    assert settle_strays() == 0

    assert list(WebhookDelivery.objects.order_by("pk").values()) == before
    assert ParkedWork.objects.count() == 2
    left = WebhookDelivery.objects.filter(endpoint=disabled)
    # In hand is finished; whose worker fell silent is nobody's, and waits.
    assert left.filter(~Q(holder=None), due_at__isnull=False).count() == 1
    assert left.filter(holder=None, due_at=None).count() == 2
