"""WHK-02: receivers that fail, stall, flood and lie cost a bounded time and little memory."""

import gzip
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from ledger.models import AuditEvent
from payments import webhook_calls
from payments.models import Event, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.services import webhook_outcomes
from payments.services.couriers import Courier, claim
from payments.services.webhook_deliveries import deliver_webhooks
from payments.services.webhook_endpoints import enable_endpoint
from payments.webhook_calls import Problem, call
from tests.factories import MerchantFactory
from tests.support.authorities import Authority
from tests.support.receivers import (
    ACTOR,
    Received,
    Receiver,
    answer,
    deliveries,
    happen,
    listening,
    receiver,
    resolver,
)

SPEC_SECONDS = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
MEGABYTE = 2**20
BOMB = gzip.compress(b"\x00" * 100 * MEGABYTE, 1)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def shop(db: None) -> Iterator[Receiver]:
    with receiver() as receiving:
        yield receiving


def deliver_at_each_due_time(delivery: WebhookDelivery, clock: Clock) -> list[timedelta]:
    """Between the attempts, until it is over."""
    waits = []
    deliver_webhooks()
    delivery.refresh_from_db()
    while delivery.due_at:
        waits.append(delivery.due_at - clock.at)
        clock.at = delivery.due_at - timedelta(milliseconds=1)
        assert deliver_webhooks() == 0
        clock.at = delivery.due_at
        assert deliver_webhooks() == 1
        delivery.refresh_from_db()
    return waits


def test_whk_02_nine_failures_and_a_success_follow_the_schedule(
    shop: Receiver, clock: Clock
) -> None:
    shop.scripts = [answer(500, b"not yet")] * 9
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()

    waits = deliver_at_each_due_time(delivery, clock)

    assert delivery.status == "DELIVERED"
    assert delivery.tries == 10
    assert shop.ids() == [event.public_id] * 10
    for wait, seconds in zip(waits, SPEC_SECONDS[1:], strict=True):
        assert abs(wait.total_seconds() - seconds) <= seconds * 0.2
    assert timedelta(hours=72) < sum(waits, timedelta()) < timedelta(hours=80)
    attempts = list(WebhookAttempt.objects.values_list("number", "status_code", "error", "answer"))
    assert attempts == [
        *((number, 500, "status", "not yet") for number in range(1, 10)),
        (10, 200, "", ""),
    ]


def test_whk_02_ten_failures_are_the_end(shop: Receiver, clock: Clock) -> None:
    shop.script = answer(500)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()

    deliver_at_each_due_time(delivery, clock)

    assert (delivery.status, delivery.tries, delivery.due_at) == ("FAILED", 10, None)
    endpoint.refresh_from_db()
    assert endpoint.status == "ENABLED"  # one event is no proof


@pytest.mark.parametrize("number", range(40))
def test_whk_02_jitter_never_gives_up_before_72_hours(number: int) -> None:
    row, now = WebhookDelivery(public_id=f"wd_{number}"), timezone.now()
    total = timedelta()
    for tries in range(1, 10):
        row.tries = tries
        at = webhook_outcomes.next_try_at(row, now=now)
        assert at is not None
        assert at == webhook_outcomes.next_try_at(row, now=now)
        total += at - now

    assert timedelta(hours=72) < total < timedelta(hours=80)


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


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "3600", 3_600),
        (503, "3600", 3_600),
        (500, "999999999999999", 24 * 3_600),
        (503, "Thu, 01 Jan 2099 00:00:00 GMT", 24 * 3_600),
        (503, "Thu, 01 Jan 2015 00:00:00 GMT", 6),
        (429, "soon", 6),
        (429, "-5", 6),
        (429, "٣٦٠٠", 6),
        (429, "1", 6),  # the schedule is longer
    ],
)
def test_whk_02_retry_after_is_honoured_up_to_a_day(
    shop: Receiver, clock: Clock, status: int, said: str, seconds: int
) -> None:
    shop.script = answer(status, retry_after=said)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)

    deliver_webhooks()

    due_at = WebhookDelivery.objects.get().due_at
    assert due_at is not None
    wait = (due_at - clock.at).total_seconds()
    assert wait == seconds if seconds > 6 else 4 <= wait <= seconds


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


def test_whk_02_slow_down_halves_what_is_sent_at_once(shop: Receiver) -> None:
    shop.scripts = [answer(429), answer(503), answer(504), answer(502)]
    endpoint, _ = listening(MerchantFactory(), shop.url)
    expected = [4, 2, 2, 1, 1, 2, 3, 4, 4]  # 429, 503, 504, 502, then 200 again and again

    paces = [endpoint.concurrency]
    for _ in range(8):
        happen(endpoint.merchant)
        deliver_webhooks()
        endpoint.refresh_from_db()
        paces.append(endpoint.concurrency)

    assert paces == expected


def test_whk_02_no_more_than_its_concurrency_is_sent_at_once(shop: Receiver) -> None:
    def slowly(connection: socket.socket, request: Received) -> None:
        time.sleep(0.05)
        answer()(connection, request)

    shop.script = slowly
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant, 30)
    deliver_webhooks()

    assert shop.at_once_max == 4
    assert deliveries(endpoint, status="DELIVERED") == 30


def test_whk_02_no_more_than_a_fifth_is_for_one_merchant(db: None) -> None:
    with receiver() as shop, receiver() as others:
        together = threading.Barrier(4)

        def wait_for_others(connection: socket.socket, request: Received) -> None:
            together.wait(5)
            answer()(connection, request)

        shop.script, others.script = shop.hang, wait_for_others
        big, small = MerchantFactory(), MerchantFactory()
        for _ in range(20):
            listening(big, shop.url)
        listening(small, others.url)
        happen(big, 4)
        happen(small, 4)
        courier = Courier()
        assert courier.take() == 12 + 4
        while len(others.received) < 4:
            courier.wait()
        assert (shop.at_once_max, others.at_once_max) == (12, 4)
        assert courier.take() == 0


def test_whk_02_failing_endpoints_together_get_half(db: None) -> None:
    for _ in range(12):
        merchant = MerchantFactory()
        listening(merchant, "http://127.0.0.1:9/", failing_since=timezone.now())
        happen(merchant, 4)
    healthy = MerchantFactory()
    listening(healthy, "http://127.0.0.1:9/")
    happen(healthy, 4)

    claimed = claim(64)

    assert len(claimed) == 32 + 4
    assert len([row for row in claimed if row.endpoint.failing_since is None]) == 4
    assert claim(64) == []


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


def test_whk_02_what_is_kept_of_an_answer_is_readable_and_short(shop: Receiver) -> None:
    shop.script = answer(500, b"a\x00b\x1b[31m\xffc\r\n" + b"d" * 9_000)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)
    deliver_webhooks()

    (attempt,) = WebhookAttempt.objects.all()
    assert attempt.answer == "a\ufffdb\ufffd[31m\ufffdc\ufffd\n" + "d" * 2_036
    assert len(attempt.answer) == 2_048
