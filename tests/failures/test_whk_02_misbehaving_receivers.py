"""WHK-02: receivers that hang, drip, flood, lie and redirect cost seconds and kilobytes."""

import gzip
import resource
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from payments import webhook_calls
from payments.models import WebhookAttempt
from payments.services.webhook_deliveries import deliver_webhooks
from payments.webhook_calls import Problem, call
from tests.factories import MerchantFactory
from tests.support.authorities import Authority
from tests.support.receivers import (
    Received,
    Receiver,
    answer,
    deliveries,
    happen,
    listening,
    receiver,
    resolver,
)

MEGABYTE = 2**20
BOMB = gzip.compress(b"\x00" * 100 * MEGABYTE, 1)


def drip(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def drip_body(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def flood(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 1073741824\r\n\r\n")
    for _part in range(1024):
        connection.sendall(b"\x00" * MEGABYTE)


def flood_headers(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(10**6):
        connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1_000))


def promise(connection: socket.socket, _: Received) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" * 1_000)


def bomb(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\n")
    connection.sendall(b"Content-Length: %d\r\n\r\n" % len(BOMB) + BOMB)


def reset(connection: socket.socket, _: Received) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def babble(connection: socket.socket, _: Received) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize(
    ("script", "status", "problem"),
    [
        pytest.param(drip, None, Problem.TIMEOUT, id="drips headers"),
        pytest.param(drip_body, 200, "", id="drips a body after 200"),
        pytest.param(flood, 500, Problem.STATUS, id="1 GB of body"),
        pytest.param(flood_headers, None, Problem.BROKEN, id="1 GB of headers"),
        pytest.param(promise, None, Problem.BROKEN, id="announces an answer for ever"),
        pytest.param(bomb, 500, Problem.STATUS, id="gzip bomb"),
        pytest.param(reset, None, Problem.BROKEN, id="reset"),
        pytest.param(babble, None, Problem.BROKEN, id="not HTTP"),
        pytest.param(answer(101), None, Problem.BROKEN, id="another protocol"),
    ],
)
def test_whk_02_one_bad_answer_costs_little(
    script: Callable[[socket.socket, Received], None],
    status: int | None,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_calls, "CALL_SECONDS", 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with receiver(script) as shop:
        started = time.monotonic()
        got = call(shop.url, headers={}, body=b"{}")
        seconds = time.monotonic() - started

    assert (got.status_code, got.problem) == (status, problem)
    assert seconds < 2
    assert len(got.text) <= 2_048
    assert "\x00" not in got.text
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


def test_whk_02_hanging_receiver_costs_its_time_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (webhook_calls.CONNECT_SECONDS, webhook_calls.CALL_SECONDS) == (3, 15)
    monkeypatch.setattr(webhook_calls, "CALL_SECONDS", 2)
    with receiver() as shop:
        shop.script = shop.hang
        got = call(shop.url, headers={}, body=b"{}")

    assert got.problem == Problem.TIMEOUT
    assert 2_000 <= got.milliseconds < 3_000


def test_whk_02_who_does_not_read_costs_no_more_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_calls, "CALL_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        got = call(url, headers={}, body=b"x" * 50 * MEGABYTE)

    assert got.problem == Problem.TIMEOUT
    assert got.milliseconds < 2_000


def test_whk_02_only_certificates_of_known_authorities_for_this_host_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, stranger = Authority("Trusted"), Authority("Stranger")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.save(tmp_path / "authority.pem")))
    monkeypatch.setattr("socket.getaddrinfo", resolver(**{"hooks.example.test": ["127.0.0.1"]}))
    webhook_calls._tls.cache_clear()
    found = []
    for authority, name in [
        (trusted, "hooks.example.test"),
        (trusted, "other.example.test"),
        (stranger, "hooks.example.test"),
    ]:
        with receiver(tls=authority.server_context(name, tmp_path)) as shop:
            got = call(f"https://hooks.example.test:{shop.port}/", headers={}, body=b"{}")
            found.append((got.status_code, got.problem, len(shop.received)))
    webhook_calls._tls.cache_clear()

    assert found == [(200, "", 1), (None, Problem.TLS, 0), (None, Problem.TLS, 0)]


def test_whk_02_redirect_is_a_failure_and_is_not_followed(shop: Receiver) -> None:
    with receiver() as inside:
        shop.script = answer(302, location=inside.url)
        endpoint, _ = listening(MerchantFactory(), shop.url)
        happen(endpoint.merchant)
        deliver_webhooks()

        assert inside.received == []
    (attempt,) = WebhookAttempt.objects.all()
    assert (attempt.status_code, attempt.error) == (302, "redirect")
    assert deliveries(endpoint, status="PENDING", tries=1) == 1


def test_whk_02_what_is_kept_of_an_answer_is_readable_and_short(shop: Receiver) -> None:
    shop.script = answer(500, b"a\x00b\x1b[31m\xffc\r\n" + b"d" * 9_000)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    deliver_webhooks()

    (attempt,) = WebhookAttempt.objects.all()
    assert attempt.answer == "a\ufffdb\ufffd[31m\ufffdc\ufffd\n" + "d" * 2_036
    assert len(attempt.answer) == 2_048
