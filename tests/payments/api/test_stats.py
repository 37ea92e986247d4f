"""/queue/stats and /cache/stats tell operators the truth, from the rows and from Redis."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from payments import stats
from payments.models import ApiKey, Payment
from payments.work import claim
from tests.factories import ApiKeyFactory, PaymentFactory, SucceededPaymentFactory
from tests.support.api import Api, assert_problem
from tests.support.servers import OwnValkey, own_valkey, start_worker, wait_for

pytestmark = pytest.mark.usefixtures("clean_redis")
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
        yield server
        server.resume()


def test_queue_is_counted_by_table_and_in_all(operator: Api) -> None:
    now = timezone.now()
    SucceededPaymentFactory()
    waiting, taken, later = (PaymentFactory() for _ in range(3))
    Payment.objects.filter(pk=waiting.pk).update(due_at=now + timedelta(days=1))
    Payment.objects.filter(pk=later.pk).update(due_at=now + timedelta(days=1))
    assert [payment.pk for payment in claim(Payment)] == [taken.pk]
    Payment.objects.filter(pk=waiting.pk).update(due_at=now - timedelta(seconds=90))

    body = operator.get("/queue/stats").json()

    age = body["oldest_age_seconds"]
    assert 90 <= age < 120
    counts = {**NOTHING, "message_count": 1, "in_flight_count": 1, "scheduled_count": 1}
    counts["oldest_age_seconds"] = age
    assert counts.items() <= body.items()
    assert body["tables"] == {
        "payment": counts,
        "refund": NOTHING,
        "transfer": NOTHING,
        "gatewayevent": NOTHING,
    }
    assert body["is_fifo"] is False
    assert body["workers"] == 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://user:sec@ret@mq.example.com:5672/x", "amqp://mq.example.com:5672/x"),
        ("sqs://key:secret@", "sqs://"),
        ("memory://", "memory://"),
    ],
)
def test_queue_url_shows_no_credentials(
    operator: Api, settings: LazySettings, url: str, shown: str
) -> None:
    settings.CELERY_BROKER_URL = url

    body = operator.get("/queue/stats").json()

    assert body["queue_url"] == shown
    assert body["workers"] is None


def test_queue_url_of_a_socket_stays_whole(settings: LazySettings) -> None:
    settings.CELERY_BROKER_URL = "redis+socket:///run/valkey.sock?virtual_host=0"

    assert stats.broker_url() == "redis+socket:///run/valkey.sock?virtual_host=0"


@pytest.mark.django_db(transaction=True)
def test_workers_are_counted_as_long_as_they_live(tmp_path: Path) -> None:
    assert stats.count_workers() == 0
    worker = start_worker(tmp_path, lease_seconds=60)
    try:
        wait_for(lambda: stats.count_workers() == 1)
    finally:
        worker.kill_group()

    wait_for(lambda: stats.count_workers() == 0)


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
