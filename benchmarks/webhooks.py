"""Deliveries by real Celery workers to a server on this machine, and what a hanging one costs."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from celery import Celery
from django.db import connection

from benchmarks.engine import broker_url, worker
from benchmarks.table import GOAL_COLUMNS, Goal, Table, goal_row
from payments.doorbell import Kind
from payments.models import Merchant, WebhookEndpoint
from payments.services.merchants import register_merchant
from payments.services.webhook_secrets import new_secret, seal

DELIVERIES = {1: 300, 10: 1_000, 100: 1_000}  # by how many endpoints there are
PENDING_AT_THE_HANGING_ONE = 5_000
ROUNDS_MAX = 3
PATIENCE_SECONDS = 60

# So many events of about a kilobyte, each for one of the endpoints in turn.
FILL = """
WITH endpoint AS (
    SELECT id, merchant_id, row_number() OVER (ORDER BY id) - 1 AS place,
        count(*) OVER () AS endpoints
    FROM payments_webhookendpoint WHERE id = ANY(%(endpoints)s)
),
event AS (
    INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data, created_at)
    SELECT 'evt_' || gen_random_uuid(), endpoint.merchant_id, 'payment.succeeded',
        'pay_' || gen_random_uuid(), 1, '{"note":"' || repeat('x', 900) || '"}', clock_timestamp()
    FROM generate_series(1, %(deliveries)s) AS turn
    JOIN endpoint ON endpoint.place = turn %% endpoint.endpoints
    RETURNING id, merchant_id
)
INSERT INTO payments_webhookdelivery
    (public_id, event_id, endpoint_id, status, tries, due_at, created_at)
SELECT 'wd_' || gen_random_uuid(), event.id, endpoint.id, 'PENDING', 0, now(), now()
FROM event JOIN endpoint ON endpoint.merchant_id = event.merchant_id
"""
LEFT = """
SELECT count(*) FROM payments_webhookdelivery WHERE due_at IS NOT NULL AND endpoint_id = ANY(%s)
"""


def run(rounds: int) -> list[Table]:
    """Rates with 1, 10 and 100 endpoints, and with 100 while another one hangs."""
    rates: dict[str, list[float]] = {f"{number}": [] for number in DELIVERIES}
    rates |= {"alone": [], "beside": []}
    with server() as url, worker("config", 2):
        bell = Celery(broker=broker_url())
        endpoints = [
            _endpoint(f"bench{number}", f"{url}/fine") for number in range(max(DELIVERIES))
        ]
        hanging = _endpoint("bench-hanging", f"{url}/hang")
        _finish(bell, endpoints, 200)
        for number, deliveries in DELIVERIES.items():
            rates[f"{number}"].append(_finish(bell, endpoints[:number], deliveries))
        for _ in range(min(rounds, ROUNDS_MAX)):
            rates["alone"].append(_finish(bell, endpoints, DELIVERIES[100]))
            _fill([hanging], PENDING_AT_THE_HANGING_ONE)
            bell.send_task(Kind.WEBHOOKS.value, ignore_result=True)
            _wait_for("SELECT count(*) FROM payments_webhookdelivery WHERE holder > 0")
            rates["beside"].append(_finish(bell, endpoints, DELIVERIES[100]))
            _forget(hanging)
    rows = [
        (f"endpoints: {number}", f"{median(rates[f'{number}']):,.0f}", "", "", "", "", "")
        for number in DELIVERIES
    ]
    rows.append(
        goal_row(
            f"100 endpoints beside one that hangs, {PENDING_AT_THE_HANGING_ONE:,} waiting for it",
            rates["beside"],
            "100 endpoints alone",
            rates["alone"],
            Goal(0.9),
        )
    )
    return [Table("Webhooks: deliveries per second, 2 workers", GOAL_COLUMNS, rows)]


def _endpoint(code: str, url: str) -> int:
    register_merchant(code)
    return WebhookEndpoint.objects.create(
        merchant=Merchant.objects.get(code=code),
        url=url,
        event_types=["*"],
        secret=seal(new_secret()),
        created_by="bench",
    ).pk


def _finish(bell: Celery, endpoints: list[int], deliveries: int) -> float:
    """Deliveries per second until so many new ones are made."""
    _fill(endpoints, deliveries)
    enough = _Answering.answers + deliveries
    started = time.monotonic()
    for _ in range(2):
        bell.send_task(Kind.WEBHOOKS.value, ignore_result=True)
    give_up_at = started + PATIENCE_SECONDS
    # The database is asked at last only: looking for what is left costs more, the more waits.
    while _Answering.answers < enough or _count(LEFT, [endpoints]):
        if time.monotonic() > give_up_at:
            raise RuntimeError("The workers did not finish.")
        time.sleep(0.02)
    return deliveries / (time.monotonic() - started)


def _fill(endpoints: list[int], deliveries: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"endpoints": endpoints, "deliveries": deliveries})
        cursor.execute("ANALYZE payments_webhookdelivery")


def _forget(endpoint: int) -> None:
    """What waits for it is over; what is in hand is overtaken."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_webhookdelivery SET status = 'FAILED', due_at = NULL, holder = NULL,"
            " fence = fence + 1 WHERE endpoint_id = %s AND status = 'PENDING'",
            [endpoint],
        )


def _count(query: str, params: list | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchone()[0]


def _wait_for(query: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not _count(query):
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"The workers did not begin: {query}")
        time.sleep(0.02)


class _Answering(asyncio.Protocol):
    """Answers 200 as soon as a request is there, but never one for /hang."""

    answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.text = transport, b""

    def data_received(self, data: bytes) -> None:
        self.text += data
        head, end, body = self.text.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length or 0) and b" /hang " not in head:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            _Answering.answers += 1


@contextmanager
def server() -> Iterator[str]:
    """Its URL; it runs on a thread of this process."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(_Answering, "127.0.0.1", 0, backlog=1_000)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
