"""Endpoints that are enabled while events are being told."""

import pytest
from django.db import transaction
from django.utils import timezone

from payments.events import Fact, tell
from payments.models import WebhookDelivery
from payments.services.webhook_endpoints import disable_endpoint, enable_endpoint
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
    assert WebhookDelivery.objects.get().due_at <= timezone.now()


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
