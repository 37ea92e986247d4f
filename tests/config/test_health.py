"""Probes answer within a second, whatever hangs."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from config import health
from payments.models import Heartbeat, Payment
from payments.probes import Probe
from tests.factories import PaymentFactory
from tests.support.api import Api
from tests.support.servers import OwnValkey, own_valkey

UP = {"database": "UP", "cache": "UP", "queue": "UP"}


@pytest.fixture
def valkey(settings: LazySettings) -> Iterator[OwnValkey]:
    with own_valkey() as server:
        settings.REDIS_URL = server.url
        yield server
        server.resume()


@pytest.fixture
def deaf_server(tmp_path: Path) -> Iterator[socket.socket]:
    """Accepts connections and says nothing, as a database host that hangs."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(100)
        yield server


def ask(path: str) -> tuple[int, object]:
    began_at = time.monotonic()
    response = Api(None).get(path)
    assert time.monotonic() - began_at < 2
    return response.status_code, response.json()


def test_health_asks_nobody(valkey: OwnValkey) -> None:
    valkey.pause()

    assert ask("/health") == (200, {"status": "OK"})


@pytest.mark.django_db(transaction=True)
def test_ready_when_everything_works() -> None:
    assert ask("/ready") == (200, {"status": "READY", "components": UP})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_not_ready_without_redis(valkey: OwnValkey, trouble: str) -> None:
    getattr(valkey, trouble)()

    for _ in range(2):
        assert ask("/ready") == (
            503,
            {"status": "NOT_READY", "components": {**UP, "cache": "DOWN"}},
        )


@pytest.mark.django_db(transaction=True)
def test_not_ready_when_work_of_any_kind_waits_for_too_long() -> None:
    payment = PaymentFactory()
    assert ask("/ready")[0] == 200

    Payment.objects.filter(pk=payment.pk).update(due_at=timezone.now() - timedelta(minutes=6))

    assert ask("/ready") == (503, {"status": "NOT_READY", "components": {**UP, "queue": "DOWN"}})


@pytest.mark.django_db(transaction=True)
def test_not_ready_when_work_waits_and_nobody_works() -> None:
    payment = PaymentFactory()
    Payment.objects.filter(pk=payment.pk).update(due_at=timezone.now() - timedelta(seconds=15))
    assert ask("/ready") == (503, {"status": "NOT_READY", "components": {**UP, "queue": "DOWN"}})

    worker = Heartbeat.objects.create(node="celery@here 7", pid=7)
    assert ask("/ready")[0] == 200

    Heartbeat.objects.filter(pk=worker.pk).update(seen_at=timezone.now() - timedelta(seconds=61))
    assert ask("/ready")[0] == 503


@pytest.mark.django_db(transaction=True)
def test_ready_while_a_worker_has_a_row_for_a_long_time() -> None:
    payment = PaymentFactory()
    Payment.objects.filter(pk=payment.pk).update(
        due_at=timezone.now() - timedelta(hours=1),
        holder=1,
        leased_until=timezone.now() + timedelta(seconds=30),
    )

    assert ask("/ready")[0] == 200


def test_not_ready_while_the_database_hangs(
    deaf_server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = deaf_server.getsockname()
    here = {**connection.settings_dict, "HOST": host, "PORT": port}
    before = threading.active_count()
    with monkeypatch.context() as patched:
        patched.setattr(health, "_queue", Probe(health._is_work_done, patience_milliseconds=700))
        for name, value in here.items():
            patched.setitem(connection.settings_dict, name, value)
        answers = [ask("/ready") for _ in range(3)]

    away = {"database": "DOWN", "cache": "UP", "queue": "DOWN"}
    assert answers == [(503, {"status": "NOT_READY", "components": away})] * 3
    assert threading.active_count() <= before + 1  # one question waits, however often it is asked


def test_not_ready_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")

    away = {"database": "DOWN", "cache": "UP", "queue": "DOWN"}
    assert ask("/ready") == (503, {"status": "NOT_READY", "components": away})
