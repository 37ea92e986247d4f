"""/queue/stats and /cache/stats tell operators the truth, from the rows and from Redis."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from payments import doorbell
from payments.models import ApiKey, Heartbeat, ParkedWork, Payment
from payments.services.parking import park
from payments.work import claim
from tests.factories import ApiKeyFactory, PaymentFactory, SucceededPaymentFactory
from tests.support.api import Api, assert_problem
from tests.support.servers import OwnValkey, own_valkey

pytestmark = pytest.mark.usefixtures("clean_redis")
OUTCOMES = ("rung", "coalesced", "failed")
NOTHING = {
    "message_count": 0,
    "in_flight_count": 0,
    "scheduled_count": 0,
    "parked_count": 0,
    "oldest_age_seconds": 0,
}


@pytest.fixture
def operator(db: None) -> Api:
    return Api(ApiKeyFactory(scopes=[ApiKey.Scope.OPERATOR]).secret)


@pytest.fixture
def valkey(settings: LazySettings) -> Iterator[OwnValkey]:
    with own_valkey() as server:
        settings.REDIS_URL = server.url
        settings.CELERY_BROKER_URL = server.environment()["CELERY_BROKER_URL"]
        yield server
        server.resume()


def test_queue_is_counted_by_table_and_in_all(operator: Api) -> None:
    now = timezone.now()
    SucceededPaymentFactory()
    poison, waiting, taken, later = (PaymentFactory() for _ in range(4))
    Payment.objects.filter(pk__in=[waiting.pk, taken.pk, later.pk]).update(due_at=None)
    (held,) = claim(Payment)
    park(held, "it killed three workers")
    Payment.objects.filter(pk=taken.pk).update(due_at=now)
    assert [payment.pk for payment in claim(Payment)] == [taken.pk]
    Payment.objects.filter(pk=waiting.pk).update(due_at=now - timedelta(seconds=90))
    Payment.objects.filter(pk=later.pk).update(due_at=now + timedelta(days=1))
    Heartbeat.objects.create(node="celery@here 7", pid=8)
    Heartbeat.objects.create(node="celery@here 7", pid=9)

    body = operator.get("/queue/stats").json()

    age = body["oldest_age_seconds"]
    assert 90 <= age < 120
    counts = {
        "message_count": 1,
        "in_flight_count": 1,
        "scheduled_count": 1,
        "parked_count": 1,
        "oldest_age_seconds": age,
    }
    assert held.pk == poison.pk
    assert counts.items() <= body.items()
    queues = {each.pop("queue"): each for each in body["queues"]}
    assert queues.pop("payments_payment") == counts
    assert {"payments_refund", "payments_transfer", "payments_jobrun"} <= set(queues)
    assert all(state == NOTHING for state in queues.values())
    assert body["is_fifo"] is False
    assert body["workers"] == 1


def test_row_whose_worker_had_its_time_waits_again(operator: Api) -> None:
    PaymentFactory()
    claim(Payment)
    Payment.objects.update(leased_until=timezone.now())

    body = operator.get("/queue/stats").json()

    assert (body["message_count"], body["in_flight_count"]) == (1, 0)


def test_resolved_work_is_not_parked(operator: Api) -> None:
    PaymentFactory()
    park(claim(Payment)[0], "it killed three workers")
    ParkedWork.objects.update(
        resolution="RETRIED", resolved_by="user:ann", resolved_at=timezone.now()
    )

    assert operator.get("/queue/stats").json()["parked_count"] == 0


def test_broker_says_how_many_messages_wait(operator: Api) -> None:
    before = operator.get("/queue/stats").json()
    doorbell.publish(doorbell.Kind.PAYMENTS)
    doorbell.publish(doorbell.Kind.PAYMENTS)
    doorbell.publish(doorbell.Kind.REFUNDS)

    body = operator.get("/queue/stats").json()

    assert before["broker"]["waiting_count"] == 0
    assert body["broker"] == {
        "name": "redis",
        "queue": "celery",
        "waiting_count": 2,
        "in_flight_count": None,
        "delayed_count": None,
        "visibility_timeout": None,
        "content_deduplication": None,
    }
    counted = {name: body["doorbells"][name] - before["doorbells"][name] for name in OUTCOMES}
    assert counted == {"rung": 2, "coalesced": 1, "failed": 0}


@pytest.mark.parametrize(
    ("url", "name", "shown"),
    [
        ("amqp://user:sec@ret@127.0.0.1:9/x", "amqp", "amqp://127.0.0.1:9/x"),
        ("sqs://key:secret@127.0.0.1:9//", "sqs", "sqs://127.0.0.1:9//"),
        ("redis://:secret@127.0.0.1:9/0", "redis", "redis://127.0.0.1:9/0"),
        (
            "redis+socket:///nowhere/valkey.sock?virtual_host=0",
            "redis",
            "redis+socket:///nowhere/valkey.sock?virtual_host=0",
        ),
    ],
)
def test_broker_that_is_away_is_named_without_credentials(
    operator: Api, settings: LazySettings, url: str, name: str, shown: str
) -> None:
    settings.CELERY_BROKER_URL = url

    body = operator.get("/queue/stats").json()

    assert body["queue_url"] == shown
    assert (body["broker"]["name"], body["broker"]["waiting_count"]) == (name, None)


def test_cache_says_what_it_holds(operator: Api, valkey: OwnValkey) -> None:
    valkey.client.mset({f"idempotency:{number}": "x" for number in range(2_500)})
    valkey.client.set("tieout:other", "x")

    body = operator.get("/cache/stats").json()

    assert (body["connected"], body["total_keys"]) == (True, 2_500)
    assert (body["prefix"], body["default_ttl"]) == ("idempotency:", 86_400)
    assert body["memory_usage"] > 100_000
    assert body["timestamp"]


@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_cache_that_is_away_is_not_connected(
    operator: Api, valkey: OwnValkey, trouble: str
) -> None:
    getattr(valkey, trouble)()

    body = operator.get("/cache/stats").json()

    assert (body["connected"], body["total_keys"], body["memory_usage"]) == (False, None, None)
    assert operator.get("/queue/stats").status_code == 200


def test_stats_need_the_scope_of_operators(db: None) -> None:
    scopes = [scope for scope in ApiKey.Scope if scope != ApiKey.Scope.OPERATOR]
    merchant = Api(ApiKeyFactory(scopes=scopes).secret)

    for path in ("/queue/stats", "/cache/stats"):
        assert_problem(merchant.get(path), 403, "permission_denied")
        assert_problem(Api(None).get(path), 401, "not_authenticated")
