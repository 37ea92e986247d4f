"""The doorbell: few messages however many rows wait, and nobody hurt when Redis is."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from django.conf import LazySettings, settings

from payments import doorbell, tasks
from payments.models import Payment
from tests.factories import ApiKeyFactory
from tests.support.api import Api
from tests.support.servers import Child, OwnValkey, own_valkey, wait_for

PAYMENTS, REFUNDS = doorbell.Kind.PAYMENTS, doorbell.Kind.REFUNDS
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
        yield server
        server.resume()


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

    assert 0 < broker.ttl(doorbell._key(PAYMENTS)) <= 30


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
