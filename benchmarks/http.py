"""Payments over loopback HTTP, everything on, beside a bare view that inserts one row."""

import itertools
import os
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from benchmarks.bare_urls import TABLE
from benchmarks.database import run as run_sql
from benchmarks.load import Load, drive, request
from benchmarks.table import GOAL_COLUMNS, Goal, Table, goal_row
from benchmarks.writers import Effort
from config.processes import web
from payments.models import ApiKey, Payment
from payments.services.api_keys import issue_api_key
from payments.services.gateways import define_gateway
from payments.services.merchants import register_merchant

CONNECTIONS = (1, 16, 64)
PAYMENTS_PER_BATCH = 1_000
PATIENCE_SECONDS = 30
# Filled in as bytes: whoever sends shares the two cores with whoever answers.
WISH = (
    b'{"amount":"100.00","currency":"EUR","source":"tok_visa","reference":"%b",'
    b'"description":"Order of the bench"}'
)
WISH_OF_BATCH = WISH.replace(b"{", b'{"idempotency_key":"%b",')
LIMITS = ("RATE_LIMIT_PAYMENTS", "RATE_LIMIT_WRITES", "RATE_LIMIT_READS", "RATE_LIMIT_GLOBAL")


def run(effort: Effort) -> list[Table]:
    """Rates and latencies per number of connections, interleaved, medians over the rounds."""
    define_gateway("bench", adapter="simulator")
    merchant = register_merchant("bench")
    _, secret = issue_api_key(
        merchant, name="bench", scopes=[ApiKey.Scope.PAYMENTS_READ, ApiKey.Scope.PAYMENTS_WRITE]
    )
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    connection.close()
    requests = Requests(secret)
    rates, latencies = [], []
    with ExitStack() as servers:
        ours = servers.enter_context(server("config.settings", "/api/v1/health"))
        bare = servers.enter_context(server("benchmarks.bare", None))
        drive(ours, requests.single, connections=1, seconds=effort.seconds)
        requests.paid = Payment.objects.values_list("public_id", flat=True)[0]
        connection.close()
        for connections in CONNECTIONS:
            runs: dict[str, list[Load]] = {"bare": [], "single": [], "batch": [], "get": []}
            for number in range(effort.rounds + 1):
                clean_up()
                loads = {
                    "bare": drive(
                        bare, requests.bare, connections=connections, seconds=effort.seconds
                    ),
                    "single": drive(
                        ours, requests.single, connections=connections, seconds=effort.seconds
                    ),
                    "batch": drive(
                        ours,
                        requests.batch,
                        connections=min(connections, 4),
                        seconds=effort.seconds,
                    ),
                    "get": drive(
                        ours, requests.get, connections=connections, seconds=effort.seconds
                    ),
                }
                for name, load in loads.items():
                    assert set(load.statuses) <= {200, 202}, (name, load.statuses)
                    if number:  # the first round only warms up
                        runs[name].append(load)
            rates += _rate_rows(connections, runs)
            latencies += _latency_rows(connections, runs)
    return [
        Table("HTTP: accepted payments", GOAL_COLUMNS, rates),
        Table(
            "HTTP: latencies",
            ("what", "p50 ms", "p95 ms", "p99 ms", "p99 of bare", "goal", "met"),
            latencies,
        ),
    ]


def clean_up() -> None:
    """What the batches of a round leave to be vacuumed is not in the way of the next one."""
    run_sql("VACUUM (ANALYZE) payments_payment, payments_idempotencykey")
    connection.close()


def _rate_rows(connections: int, runs: dict[str, list[Load]]) -> list[tuple[str, ...]]:
    rates = {name: [load.rate for load in loads] for name, loads in runs.items()}
    batches = [rate * PAYMENTS_PER_BATCH for rate in rates["batch"]]
    return [
        goal_row(
            f"POST /payments, {connections} connections",
            rates["single"],
            "bare insert",
            rates["bare"],
            Goal(0.5),
        ),
        goal_row("  in batches of 1,000", batches, "single POST", rates["single"], Goal(10)),
        goal_row("  GET /payments/{id}", rates["get"], "bare insert", rates["bare"]),
    ]


def _latency_rows(connections: int, runs: dict[str, list[Load]]) -> list[tuple[str, ...]]:
    rows = []
    for name in ("bare", "single", "get"):
        p50, p95, p99 = (
            median(load.percentile(share) for load in runs[name]) for share in (0.5, 0.95, 0.99)
        )
        bare = median(load.percentile(0.99) for load in runs["bare"])
        goal = ("≤ 3", "yes" if p99 <= 3 * bare else "no") if name == "single" else ("", "")
        milliseconds = tuple(f"{seconds * 1_000:.1f}" for seconds in (p50, p95, p99))
        rows.append(
            (f"{name}, {connections} connections", *milliseconds, f"{p99 / bare:.1f} x", *goal)
        )
    return rows


class Requests:
    """Requests as a merchant sends them, each payment a new one."""

    def __init__(self, secret: str) -> None:
        self.authorization = ("Authorization", f"Bearer {secret}")
        run = uuid.uuid4().hex[:8].encode()
        self.names = (b"order%dof%b" % (number, run) for number in itertools.count())
        self.paid = "pay_not_yet"

    def bare(self, _: int) -> bytes:
        return request("POST", "/bare", WISH % next(self.names))

    def single(self, _: int) -> bytes:
        name = next(self.names)
        headers = (self.authorization, ("Idempotency-Key", name.decode()))
        return request("POST", "/api/v1/payments", WISH % name, headers)

    def batch(self, _: int) -> bytes:
        names = list(itertools.islice(self.names, PAYMENTS_PER_BATCH))
        wishes = b",".join([WISH_OF_BATCH % (name, name) for name in names])
        headers = (self.authorization, ("Idempotency-Key", names[0].decode() + "-batch"))
        body = b'{"payments":[%b]}' % wishes
        return request("POST", "/api/v1/payments/batch", body, headers)

    def get(self, _: int) -> bytes:
        return request("GET", f"/api/v1/payments/{self.paid}", headers=(self.authorization,))


@contextmanager
def server(settings_module: str, health: str | None) -> Iterator[int]:
    """A server on a free port, as `manage.py run` starts it, on the database in use."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = connection.settings_dict["NAME"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings_module,
        "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
        "LOG_LEVEL": "ERROR",
        # Counted as always, and never reached.
        **dict.fromkeys(LIMITS, "1000000/1"),
    }
    process = subprocess.Popen(web(port).argv, env=environment)
    try:
        _wait_for(port, health)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait_for(port: int, health: str | None) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if health is None:
                socket.create_connection(("127.0.0.1", port), 1).close()
            else:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{health}", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"Nothing answers on port {port}.")
