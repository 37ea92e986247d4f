"""What people ask of deliveries, and the courier of a worker's process."""

import itertools
import threading
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from ledger.models import AuditEvent
from payments.events import EVENT_TYPES
from payments.models import Event, ParkedWork, WebhookAttempt, WebhookDelivery
from payments.services import couriers, webhook_deliveries
from payments.services.parking import park
from payments.services.webhook_deliveries import (
    EndpointNotEnabled,
    InvalidReplayRange,
    TooManyToReplay,
    deliver_webhooks,
    give_up_delivery,
    replay,
    retry_delivery,
    send_test,
)
from payments.services.webhook_endpoints import disable_endpoint
from payments.stats import is_work_done
from tests.factories import MerchantFactory
from tests.support.own_names import database_url_of_tests
from tests.support.receivers import (
    ACTOR,
    Receiver,
    answer,
    deliveries,
    happen,
    listening,
    receiver,
)
from tests.support.servers import wait_for

HOUR = timedelta(hours=1)
KILL_WHO_WAITS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def shop(db: None) -> Iterator[Receiver]:
    with receiver() as receiving:
        yield receiving


def test_delivered_event_can_be_asked_for_again_under_the_same_id(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    deliver_webhooks()
    (delivery,) = event.deliveries.all()

    retry_delivery(delivery, actor=ACTOR)
    deliver_webhooks()

    assert shop.ids() == [event.public_id] * 2
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.attempts) == ("DELIVERED", 1, 2)
    assert list(WebhookAttempt.objects.values_list("number", flat=True)) == [1, 2]
    (audited,) = AuditEvent.objects.filter(action="webhook_delivery.retried")
    assert audited.before == {"status": "DELIVERED", "tries": 1}


def test_failed_delivery_starts_its_schedule_again(shop: Receiver) -> None:
    shop.script = answer(500)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()
    WebhookDelivery.objects.update(tries=9)
    deliver_webhooks()
    assert deliveries(endpoint, status="FAILED", tries=10, due_at=None) == 1

    retry_delivery(delivery, actor=ACTOR)
    deliver_webhooks()

    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries) == ("PENDING", 1)
    assert delivery.due_at is not None
    assert delivery.due_at - timezone.now() < timedelta(seconds=7)


def test_delivery_in_hand_is_left_alone(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    (held,) = couriers.claim(1)

    retried = retry_delivery(held, actor=ACTOR)

    assert (retried.fence, retried.holder) == (held.fence, held.holder)
    assert couriers.claim(1) == []


def test_nothing_is_asked_for_of_a_disabled_endpoint(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()
    disable_endpoint(endpoint, actor=ACTOR)

    with pytest.raises(EndpointNotEnabled):
        retry_delivery(delivery, actor=ACTOR)
    with pytest.raises(EndpointNotEnabled):
        send_test(endpoint, actor=ACTOR)
    with pytest.raises(EndpointNotEnabled):
        replay(endpoint, since=timezone.now() - HOUR, actor=ACTOR)
    assert deliver_webhooks() == 0


def test_range_is_sent_again_and_what_was_never_sent_too(shop: Receiver) -> None:
    merchant = MerchantFactory()
    endpoint, _ = listening(merchant, shop.url, "payment.*")
    happen(MerchantFactory())
    before = happen(merchant, 2)
    Event.objects.filter(pk=before[0].pk).update(created_at=timezone.now() - 2 * HOUR)
    happen(merchant, kind="refund.succeeded")
    deliver_webhooks()
    disable_endpoint(endpoint, actor=ACTOR)
    missed = happen(merchant, 3)
    webhook_deliveries.WebhookEndpoint.objects.update(status="ENABLED")
    assert deliver_webhooks() == 0

    assert replay(endpoint, since=timezone.now() - HOUR, actor=ACTOR) == 4
    due = list(WebhookDelivery.objects.exclude(due_at=None).order_by("event_id"))
    assert [row.event_id for row in due] == [event.pk for event in [before[1], *missed]]
    steps = {
        round((later.due_at - row.due_at).total_seconds(), 3)
        for row, later in itertools.pairwise(due)
        if later.due_at and row.due_at
    }
    assert steps == {0.05}
    WebhookDelivery.objects.exclude(due_at=None).update(due_at=timezone.now())
    deliver_webhooks()

    assert sorted(shop.ids()) == sorted(
        event.public_id for event in [before[0], before[1], before[1], *missed]
    )
    (audited,) = AuditEvent.objects.filter(action="webhook_endpoint.replayed")
    assert audited.after["deliveries"] == 4


def test_operators_endpoint_replays_everybodys_events(shop: Receiver) -> None:
    endpoint, _ = listening(None, shop.url)
    happen(MerchantFactory(), 2)
    happen(MerchantFactory(), 3)

    assert replay(endpoint, since=timezone.now() - HOUR, actor=ACTOR) == 5


def test_too_long_a_range_is_refused_and_changes_nothing(
    shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_deliveries, "REPLAYED_MAX", 2)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant, 3)
    deliver_webhooks()

    with pytest.raises(TooManyToReplay):
        replay(endpoint, since=timezone.now() - HOUR, actor=ACTOR)
    with pytest.raises(InvalidReplayRange):
        replay(endpoint, since=timezone.now(), until=timezone.now() - HOUR, actor=ACTOR)

    assert deliveries(endpoint, status="DELIVERED") == 3


def test_test_event_goes_to_its_endpoint_alone_whatever_that_listens_to(shop: Receiver) -> None:
    merchant = MerchantFactory()
    endpoint, _ = listening(merchant, shop.url, "refund.failed")
    with receiver() as other:
        listening(merchant, other.url)
        first, second = (send_test(endpoint, actor=ACTOR) for _ in range(2))
        deliver_webhooks()

        assert other.received == []
    assert sorted(shop.ids()) == sorted([first.event.public_id, second.event.public_id])
    assert [first.event.sequence, second.event.sequence] == [1, 2]
    assert first.event.type in EVENT_TYPES


def test_endpoint_that_keeps_its_events_waiting_does_not_make_the_platform_unready(
    shop: Receiver,
) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    WebhookDelivery.objects.update(due_at=timezone.now() - HOUR)

    assert is_work_done()


def test_parked_delivery_can_be_given_up(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    (held,) = couriers.claim(1)
    park(held, "It cannot be done.")

    give_up_delivery(held, ACTOR)

    assert deliveries(endpoint, status="FAILED", due_at=None) == 1
    assert deliver_webhooks() == 0
    assert ParkedWork.objects.get().subject == held.public_id


def test_deadly_delivery_is_parked_and_the_others_go_on(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    deadly, other = happen(endpoint.merchant, 2)
    past = timezone.now() - HOUR
    deadly.deliveries.update(deaths=2, holder=77, leased_until=past, due_at=past)

    deliver_webhooks()

    assert shop.ids() == [other.public_id]
    assert ParkedWork.objects.get().problem == "3 workers died while they held it."


def test_outcome_of_a_call_that_was_overtaken_is_not_written(shop: Receiver) -> None:
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    courier = couriers.Courier()
    courier.take()
    WebhookDelivery.objects.update(fence=9)
    courier.wait()
    courier.write()

    assert courier.in_hand == {}
    assert not WebhookAttempt.objects.exists()
    assert deliveries(endpoint, status="PENDING", tries=0) == 1


def test_answer_of_a_call_that_was_made_again_meanwhile_is_not_taken_for_the_newer_ones(
    shop: Receiver,
) -> None:
    """The database was away for longer than a lease, and the courier has both in hand."""
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    courier = couriers.Courier()
    courier.take()
    courier.wait()
    shop.script = answer(500)
    WebhookDelivery.objects.update(leased_until=timezone.now())
    assert courier.take() == 1

    courier.deliver()

    assert list(WebhookAttempt.objects.values_list("number", "status_code")) == [(2, 500)]
    assert deliveries(endpoint, status="PENDING", tries=1, holder=None) == 1


@pytest.mark.django_db(transaction=True)
def test_courier_of_a_process_delivers_when_it_is_woken_and_gives_back_when_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(couriers, "LAST_CALLS_SECONDS", 0)
    merchant = MerchantFactory()
    with receiver() as shop:
        endpoint, _ = listening(merchant, shop.url, concurrency=2)
        happen(merchant, 3)
        couriers.wake()
        wait_for(lambda: deliveries(endpoint, status="DELIVERED") == 3)
        shop.script = shop.hang
        happen(merchant, 2)
        couriers.wake()
        wait_for(lambda: len(shop.received) == 5)
        assert deliveries(endpoint, holder__isnull=False) == 2

        couriers.stop()

        assert not any(thread.name == "courier" for thread in threading.enumerate())
        assert deliveries(endpoint, status="PENDING", holder=None, due_at__isnull=False) == 2
        shop.script = answer()
        shop.closing.set()
        assert deliver_webhooks() == 2
    assert deliveries(endpoint, status="DELIVERED") == 5


@pytest.mark.django_db(transaction=True)
def test_connection_lost_while_answers_are_written_costs_no_second_delivery() -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        endpoint, _ = listening(merchant, shop.url)
        (event,) = happen(merchant)
        with (
            psycopg.connect(database_url_of_tests()) as holder,
            psycopg.connect(database_url_of_tests(), autocommit=True) as killer,
        ):
            holder.execute("SELECT FROM payments_webhookendpoint FOR NO KEY UPDATE")
            couriers.wake()
            # It has its answer, and waits for the endpoint to write it.
            wait_for(lambda: killer.execute(KILL_WHO_WAITS).fetchall())
        wait_for(lambda: deliveries(endpoint, status="DELIVERED") == 1)
        couriers.stop()

        assert shop.ids() == [event.public_id]
    assert deliveries(endpoint, tries=1, attempts=1, failures=0, deaths=0, holder=None) == 1


@pytest.mark.django_db(transaction=True)
def test_calls_hold_no_connection_to_the_database() -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        shop.script = shop.hang
        listening(merchant, shop.url)
        happen(merchant, 4)
        courier = couriers.Courier()
        assert courier.take() == 4
        wait_for(lambda: len(shop.received) == 4)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*), count(xact_start) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            assert cursor.fetchone() == (0, 0)
        shop.closing.set()
        courier.deliver()


def test_answers_whose_writing_nobody_confirmed_keep_no_courier_from_its_work(
    shop: Receiver,
) -> None:
    """The connection was lost while the transaction ended, and it had come true."""
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    courier = couriers.Courier()
    courier.take()
    courier.wait()
    in_hand, unwritten = dict(courier.in_hand), dict(courier.unwritten)
    courier.write()
    courier.in_hand, courier.unwritten = in_hand, unwritten
    with pytest.raises(IntegrityError):
        courier.write()

    courier.write()

    assert (courier.in_hand, courier.unwritten) == ({}, {})
    assert deliveries(endpoint, status="DELIVERED", tries=1, failures=0) == 1
    assert WebhookAttempt.objects.count() == 1
