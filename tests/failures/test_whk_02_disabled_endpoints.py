"""WHK-02: endpoints that are gone, or have failed for days, are disabled; what waits is kept."""

from datetime import timedelta
from typing import Any

from ledger.models import AuditEvent
from payments.models import Event, WebhookEndpoint
from payments.services.webhook_deliveries import deliver_webhooks
from payments.services.webhook_endpoints import enable_endpoint
from tests.factories import MerchantFactory
from tests.support.deliveries import Clock
from tests.support.portal import Role, letters, member
from tests.support.receivers import (
    ACTOR,
    Receiver,
    answer,
    deliveries,
    happen,
    listening,
    receiver,
)


def test_whk_02_410_disables_at_once_and_what_waits_is_kept(shop: Receiver) -> None:
    shop.script = answer(410)
    merchant = MerchantFactory()
    endpoint, _ = listening(merchant, shop.url, concurrency=1)
    with receiver() as second:
        other, _ = listening(merchant, second.url)
        happen(merchant, 3)
        deliver_webhooks()

        endpoint.refresh_from_db()
        assert (endpoint.status, endpoint.disabled_reason) == ("DISABLED", "It answered 410 Gone.")
        assert len(shop.received) == 1
        assert deliveries(endpoint, status="PENDING", due_at=None, holder=None) == 3
        (told,) = Event.objects.filter(type="webhook_endpoint.disabled")
        assert second.ids()[-1] == told.public_id
        assert deliveries(other, status="DELIVERED") == 4
    audited = AuditEvent.objects.get(action="webhook_endpoint.disabled")
    assert (audited.subject, str(audited.actor_label)) == (endpoint.public_id, "webhooks")

    shop.script = answer()
    enable_endpoint(endpoint, actor=ACTOR)
    deliver_webhooks()

    assert deliveries(endpoint, status="DELIVERED") == 3


def test_whk_02_endpoint_is_disabled_when_all_has_failed_for_72_hours(
    shop: Receiver, clock: Clock
) -> None:
    shop.script = answer(500)
    merchant = MerchantFactory()
    endpoint, _ = listening(merchant, shop.url)
    with receiver() as second:
        other, _ = listening(merchant, second.url)
        happen(merchant, 10)
        failing_since = clock.at
        for hours in (0, 1, 30, 71):
            clock.at = failing_since + timedelta(hours=hours)
            deliver_webhooks()
            endpoint.refresh_from_db()
            assert endpoint.status == WebhookEndpoint.Status.ENABLED
            assert endpoint.failing_since == failing_since
        clock.at = failing_since + timedelta(hours=72)
        happen(merchant)
        deliver_webhooks()
        deliver_webhooks()

        endpoint.refresh_from_db()
        assert endpoint.status == WebhookEndpoint.Status.DISABLED_AUTO
        assert deliveries(endpoint, status="PENDING", due_at=None) == 12  # and the one about it
        (told,) = Event.objects.filter(type="webhook_endpoint.disabled")
        assert told.public_id in second.ids()
        assert deliveries(other, status="DELIVERED") == 12


def test_whk_02_merchant_and_who_can_do_something_are_written_to(
    shop: Receiver, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.SENDS_EMAIL = True
    shop.script = answer(410)
    merchant = MerchantFactory(email="hello@shop.example")
    for role in Role:
        member(merchant, role, f"{role}@shop.example")
    member(MerchantFactory(), Role.OWNER, "owner@other.example")
    endpoint, _ = listening(merchant, shop.url)

    happen(merchant, 2)
    with django_capture_on_commit_callbacks(execute=True):
        deliver_webhooks()
        deliver_webhooks()

    told = letters()
    assert sorted(address for letter in told for address in letter.to) == [
        *("admin@shop.example", "developer@shop.example"),
        *("hello@shop.example", "owner@shop.example"),
    ]
    assert {letter.subject for letter in told} == {"A webhook endpoint was disabled"}
    for words in (shop.url, endpoint.public_id, "It answered 410 Gone."):
        assert words in told[0].body


def test_whk_02_nine_failing_events_do_not_disable(shop: Receiver, clock: Clock) -> None:
    shop.script = answer(500)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant, 9)
    deliver_webhooks()
    clock.at += timedelta(hours=73)
    deliver_webhooks()

    endpoint.refresh_from_db()
    assert endpoint.status == WebhookEndpoint.Status.ENABLED


def test_whk_02_one_success_is_a_new_beginning(shop: Receiver, clock: Clock) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    for script, hours in ((answer(500), 71), (answer(), 1), (answer(500), 71), (answer(500), 0)):
        shop.script = script
        happen(endpoint.merchant, 10)
        deliver_webhooks()
        clock.at += timedelta(hours=hours)

    endpoint.refresh_from_db()
    assert endpoint.status == WebhookEndpoint.Status.ENABLED
    assert endpoint.failing_since == clock.at - timedelta(hours=71)
