"""Amazon SQS as the broker: a FIFO queue of a server that speaks SQS, and real workers."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import LazySettings

from config import brokers
from payments import broker, doorbell
from payments.models import ApiKey, Payment, SimulatedOperation
from payments.services.heartbeats import nodes_alive
from tests.factories import ApiKeyFactory
from tests.support.api import Api
from tests.support.own_names import database_url_of_tests
from tests.support.servers import Child, wait_for
from tests.support.sqs_server import REGION, SqsServer, sqs_server

PAYMENTS = doorbell.Kind.PAYMENTS
WORKER = "-A config worker -c 1 -l INFO --without-gossip --without-mingle".split()

pytestmark = pytest.mark.usefixtures("clean_redis", "patient_doorbell")


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqsServer]:
    with sqs_server(tmp_path_factory.mktemp("sqs")) as server:
        yield server


@pytest.fixture
def patient_doorbell() -> Iterator[None]:
    """What broke in one test does not silence the next one."""
    doorbell._state.silent_until = 0
    yield
    doorbell._state.silent_until = 0


def use(settings: LazySettings, url: str, queue_url: str = "") -> None:
    """As settings.py derives it from CELERY_BROKER_URL and SQS_QUEUE_URL."""
    settings.CELERY_BROKER_URL, settings.SQS_QUEUE_URL = url, queue_url
    settings.CELERY_TASK_DEFAULT_QUEUE = brokers.queue_name(url, queue_url)
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(
        url, queue_url, connect_seconds=0.25
    )
    settings.BROKER_PUBLISHING_OPTIONS = brokers.publishing_options(url, connect_seconds=0.25)


@pytest.fixture
def worker(tmp_path: Path, settings: LazySettings) -> Iterator[Callable[[str], Child]]:
    """Starts a Celery worker that has the broker from its environment, as in production."""
    with ExitStack() as stack:

        def start(name: str) -> Child:
            folder = tmp_path / name
            folder.mkdir()
            child = Child(
                [sys.executable, "-m", "celery", *WORKER],
                folder,
                DATABASE_URL=database_url_of_tests(),
                REDIS_URL=settings.REDIS_URL,
                CELERY_BROKER_URL=settings.CELERY_BROKER_URL,
                SQS_QUEUE_URL=settings.SQS_QUEUE_URL,
            )
            stack.callback(child.kill_group)
            return child

        yield start


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_a_fifo_queue_do_each_payment_once(
    sqs: SqsServer, settings: LazySettings, worker: Callable[[str], Child]
) -> None:
    queue_url = sqs.create_fifo_queue("twice.fifo")
    use(settings, sqs.url, queue_url)
    api = Api(ApiKeyFactory(scopes=ApiKey.Scope.values).secret)
    for name in ("first", "second"):
        worker(name)
    wait_for(lambda: len(nodes_alive()) == 2, seconds=60)

    for _ in range(40):
        assert api.pay().status_code == 202

    wait_for(lambda: Payment.objects.filter(status="SUCCEEDED").count() == 40, seconds=60)
    assert SimulatedOperation.objects.count() == 40
    body = api.get("/queue/stats").json()
    assert (body["queue_url"], body["is_fifo"], body["workers"]) == (queue_url, True, 2)
    assert (body["message_count"], body["in_flight_count"]) == (0, 0)


def test_ring_creates_the_queue_if_none_is_named(sqs: SqsServer, settings: LazySettings) -> None:
    use(settings, sqs.url)

    assert doorbell.publish(PAYMENTS)

    queue_url = sqs.client.get_queue_url(QueueName="tieout.fifo")["QueueUrl"]
    assert sqs.waiting(queue_url) == 1
    said = sqs.client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    assert said["Attributes"]["FifoQueue"] == "true"


def test_rings_neither_wait_for_each_other_nor_count_as_copies(
    sqs: SqsServer, settings: LazySettings
) -> None:
    """Within five minutes SQS would drop a message with the same deduplication id."""
    queue_url = sqs.create_fifo_queue("rings.fifo")
    use(settings, sqs.url, queue_url)

    for _ in range(3):
        assert doorbell.publish(PAYMENTS)
        doorbell.heard(PAYMENTS)

    said = sqs.client.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )["Messages"]
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        assert len({message["Attributes"][name] for message in said}) == 3


def test_queue_of_sqs_is_described(sqs: SqsServer, settings: LazySettings, db: None) -> None:
    queue_url = sqs.create_fifo_queue("stats.fifo")
    use(settings, sqs.url, queue_url)
    for _ in range(3):
        doorbell.publish(PAYMENTS)
        doorbell.heard(PAYMENTS)
    sqs.client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=1)

    body = Api(ApiKeyFactory(scopes=[ApiKey.Scope.OPERATOR]).secret).get("/queue/stats").json()

    assert body["queue_url"] == queue_url
    assert body["is_fifo"] is True
    assert body["message_count"] == 0  # rows; messages only wake workers
    assert body["broker"] == {
        "name": "sqs",
        "queue": "stats.fifo",
        "waiting_count": 2,
        "in_flight_count": 1,
        "delayed_count": 0,
        "visibility_timeout": 300,
        "content_deduplication": False,
    }


def test_sqs_that_is_away_costs_a_ring_and_no_count(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    use(settings, "sqs://key:secret@127.0.0.1:9//", "http://127.0.0.1:9/1/away.fifo")

    assert not doorbell.publish(PAYMENTS)

    state = broker.broker_state()
    assert (state.name, state.queue, state.url) == (
        "sqs",
        "away.fifo",
        "http://127.0.0.1:9/1/away.fifo",
    )
    assert (state.waiting_count, state.in_flight_count) == (None, None)
