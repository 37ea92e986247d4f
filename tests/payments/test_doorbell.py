"""The doorbell: few messages however many rows wait, and nobody hurt when Redis is."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings, settings

from config import brokers
from payments import cache, doorbell, tasks
from payments.doorbell import Kind
from payments.models import Payment
from tests.factories import ApiKeyFactory
from tests.support.api import Api
from tests.support.servers import Child, OwnValkey, own_valkey, wait_for

PAYMENTS, REFUNDS, TRANSFERS = Kind.PAYMENTS, Kind.REFUNDS, Kind.TRANSFERS
# Rings a hundred times for each line it reads, and says how long that took.
RINGER = """
import sys, time
import django
django.setup()
from payments import doorbell
print("ready", flush=True)
for line in sys.stdin:
    began_at = time.monotonic()
    for _ in range(100):
        doorbell.ring(doorbell.Kind.PAYMENTS)
    print(time.monotonic() - began_at, flush=True)
"""


@pytest.fixture
def broker(clean_redis: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture
def valkey(settings: LazySettings) -> Iterator[OwnValkey]:
    """A Valkey of its own, which the doorbell and the pages of this process use."""
    with own_valkey() as server:
        settings.REDIS_URL = server.url
        settings.CELERY_BROKER_URL = server.environment()["CELERY_BROKER_URL"]
        yield server
        server.resume()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What broke in one test does not silence the next one."""
    monkeypatch.setattr(doorbell, "_state", doorbell._State())
    monkeypatch.setattr(cache, "_silent_until", {})


def count_of(outcome: str) -> int:
    return int(doorbell.bells.labels(outcome)._value.get())


def tasks_in(broker: redis.Redis) -> list[str]:
    return sorted(json.loads(text)["headers"]["task"] for text in broker.lrange("celery", 0, -1))


def test_hundred_rings_are_one_message_per_kind(broker: redis.Redis) -> None:
    for _ in range(100):
        doorbell.ring(PAYMENTS)
        doorbell.ring(REFUNDS)

    wait_for(lambda: broker.llen("celery") == 2)
    time.sleep(0.2)
    assert tasks_in(broker) == [PAYMENTS.value, REFUNDS.value]


def test_bell_that_was_heard_can_be_rung_again(broker: redis.Redis) -> None:
    doorbell.publish(PAYMENTS)
    doorbell.publish(PAYMENTS)
    assert tasks_in(broker) == [PAYMENTS.value]

    doorbell.heard(PAYMENTS)
    doorbell.publish(PAYMENTS)

    assert tasks_in(broker) == [PAYMENTS.value] * 2


def test_bell_nobody_hears_rings_again_after_a_while(broker: redis.Redis) -> None:
    doorbell.publish(PAYMENTS)

    assert 0 < broker.ttl(doorbell._key(PAYMENTS)) <= 15


def test_bells_do_not_silence_each_other(broker: redis.Redis) -> None:
    doorbell.publish(PAYMENTS)
    doorbell.heard(REFUNDS)
    doorbell.publish(PAYMENTS)

    assert tasks_in(broker) == [PAYMENTS.value]


def test_drain_works_until_nothing_is_left(broker: redis.Redis) -> None:
    doorbell.publish(PAYMENTS)
    batches = iter([3, 2, 1, 0])

    tasks.drain(replace(tasks.PAYMENTS, work_off=lambda: next(batches)))

    assert list(batches) == []
    assert not broker.exists(doorbell._key(PAYMENTS))


def test_backlog_that_is_too_long_for_one_task_rings_again(broker: redis.Redis) -> None:
    tasks.drain(replace(tasks.PAYMENTS, work_off=lambda: 1), seconds=0.1)

    wait_for(lambda: broker.llen("celery") == 1)


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_payments_are_taken_although_redis_is_away(valkey: OwnValkey, trouble: str) -> None:
    api = Api(ApiKeyFactory().secret)
    assert api.get("/ready").status_code == 200
    getattr(valkey, trouble)()

    began_at = time.monotonic()
    response = api.pay()
    seconds = time.monotonic() - began_at

    assert response.status_code == 202
    assert seconds < 0.5
    assert Payment.objects.get().due_at is not None


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_doorbell_never_raises_and_gives_up_soon(valkey: OwnValkey, trouble: str) -> None:
    getattr(valkey, trouble)()

    began_at = time.monotonic()
    doorbell.publish(PAYMENTS)
    doorbell.heard(PAYMENTS)

    assert time.monotonic() - began_at < 10


def test_broker_that_failed_is_left_alone_for_a_while(
    valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = count_of("failed")
    valkey.pause()
    assert not doorbell.publish(PAYMENTS)
    valkey.resume()
    wait_for(valkey.answers)
    monkeypatch.setattr(cache, "_silent_until", {})
    messages = valkey.client.llen("celery")

    assert [doorbell.publish(kind) for kind in (PAYMENTS, REFUNDS)] == [False, False]
    assert count_of("failed") == failed + 1
    assert valkey.client.llen("celery") == messages

    doorbell._state.silent_until = 0
    assert doorbell.publish(REFUNDS)
    assert valkey.client.llen("celery") == messages + 1


def test_ring_that_failed_is_rung_when_the_broker_is_back(
    valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorbell, "BREAK_SECONDS", 1)
    failed = count_of("failed")
    valkey.pause()
    doorbell.ring(TRANSFERS)
    wait_for(lambda: count_of("failed") > failed)
    valkey.resume()
    wait_for(valkey.answers)
    valkey.client.flushall()

    wait_for(lambda: tasks_in(valkey.client) == [TRANSFERS.value])


def test_broker_works_although_redis_is_away(broker: redis.Redis, settings: LazySettings) -> None:
    """Without Redis each process rings now and then, and loses no ring."""
    settings.REDIS_URL = "unix:///nowhere/valkey.sock?db=0"

    assert [doorbell.publish(PAYMENTS) for _ in range(3)] == [True, False, False]
    assert tasks_in(broker) == [PAYMENTS.value]
    doorbell.heard(PAYMENTS)

    for _ in range(100):
        doorbell.ring(PAYMENTS)
    wait_for(lambda: broker.llen("celery") == 2)


@pytest.mark.parametrize("url", ["amqp://127.0.0.1:9//", "sqs://a:b@127.0.0.1:9//", "redis://:9/0"])
def test_bell_stays_unrung_when_the_broker_is_away(
    broker: redis.Redis, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    settings.CELERY_BROKER_URL = url
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = brokers.transport_options(
        url, "", connect_seconds=0.25
    )
    settings.BROKER_PUBLISHING_OPTIONS = brokers.publishing_options(url, connect_seconds=0.25)
    failed = count_of("failed")

    began_at = time.monotonic()
    assert not doorbell.publish(PAYMENTS)

    assert time.monotonic() - began_at < 5
    assert count_of("failed") == failed + 1
    assert not broker.exists(doorbell._key(PAYMENTS))


def test_broker_that_accepts_and_says_nothing_is_given_up(
    broker: redis.Redis, settings: LazySettings
) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"amqp://127.0.0.1:{deaf.getsockname()[1]}//"
        settings.CELERY_BROKER_URL = url
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
        settings.BROKER_PUBLISHING_OPTIONS = brokers.publishing_options(url, connect_seconds=0.25)

        began_at = time.monotonic()
        assert not doorbell.publish(PAYMENTS)

    assert time.monotonic() - began_at < 5


def test_rings_are_counted(broker: redis.Redis) -> None:
    outcomes = ("rung", "coalesced", "failed")
    before = [count_of(outcome) for outcome in outcomes]

    for _ in range(3):
        doorbell.publish(PAYMENTS)
    for _ in range(100):
        doorbell.ring(REFUNDS)

    def counted() -> list[int]:
        return [count_of(outcome) - n for outcome, n in zip(outcomes, before, strict=True)]

    wait_for(lambda: counted() == [2, 2 + 99, 0])


def test_connection_that_was_cut_is_made_anew_at_once(valkey: OwnValkey) -> None:
    assert doorbell.publish(PAYMENTS)
    valkey.client.client_kill_filter(_type="normal", skipme=True)

    assert doorbell.publish(REFUNDS)
    assert tasks_in(valkey.client) == [PAYMENTS.value, REFUNDS.value]


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_ready_says_that_redis_is_away(valkey: OwnValkey, trouble: str) -> None:
    api = Api(None)
    getattr(valkey, trouble)()

    response = api.get("/ready")

    assert (response.status_code, response.json()["status"]) == (503, "NOT_READY")
    assert response.json()["components"] == {"database": "UP", "cache": "DOWN", "queue": "UP"}


def test_process_whose_redis_was_paused_rings_again_afterwards(tmp_path: Path) -> None:
    with own_valkey() as valkey:
        ringer = Child([sys.executable, "-c", RINGER], tmp_path, **valkey.environment())
        try:
            wait_for(lambda: ringer.lines() == ["ready"])
            seconds = [ring(ringer, 1)]
            wait_for(lambda: valkey.client.llen("celery") == 1)
            valkey.client.delete(doorbell._key(PAYMENTS))

            valkey.pause()
            seconds.append(ring(ringer, 2))
            time.sleep(0.5)
            valkey.resume()

            # A ring that reached Redis although nobody waited for the answer silences the next.
            wait_for(valkey.answers)
            time.sleep(0.5)
            messages = valkey.client.llen("celery")
            valkey.client.delete(doorbell._key(PAYMENTS))
            seconds.append(ring(ringer, 3))
            wait_for(lambda: valkey.client.llen("celery") == messages + 1)
        finally:
            ringer.kill_group()

    assert max(seconds) < 0.1


def ring(ringer: Child, turn: int) -> float:
    """Let it ring a hundred times for the n-th time; how many seconds that took."""
    ringer.say("ring")
    wait_for(lambda: len(ringer.lines()) > turn)
    return float(ringer.lines()[turn])
