"""Payments from PENDING to SUCCEEDED by real Celery workers, beside a peer and a limit."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from celery import Celery
from django.conf import settings
from django.db import connection

from benchmarks.models import PlainAccount
from benchmarks.table import GOAL_COLUMNS, Goal, Table, goal_row
from payments.doorbell import Kind
from payments.services.gateways import define_gateway
from payments.services.merchants import register_merchant

MERCHANTS = 20
WORKERS = (1, 2, 4)
NAIVE_PAYMENTS = 300
PAYMENTS = 20_000
BACKLOG = 100_000
SLOW_PAYMENTS = 4_000
PATIENCE_SECONDS = 300
BROKER = settings.REDIS_URL.replace("db=0", "db=9")  # not that of a platform that is running

FILL = """
INSERT INTO payments_payment (
    public_id, merchant_id, gateway_id, idempotency_key, request_digest, reference, amount,
    currency, settlement_currency, capture, source, description, metadata, created_by, created_at,
    updated_at, due_at, status, amount_captured, amount_refunded, fee, failure_code,
    failure_reason, gateway_reference, processor_fee_currency, is_settled_elsewhere
)
SELECT 'pay_' || replace(gen_random_uuid()::text, '-', ''), merchant.id, gateway.id,
    gen_random_uuid(), '', gen_random_uuid(), 1000 + number %% 9000, 'EUR', 'EUR', 'automatic',
    'tok_visa', '', '{}', 'bench', clock_timestamp(), clock_timestamp(), clock_timestamp(),
    'PENDING', 0, 0, 0, '', '', '', '', false
FROM generate_series(1, %s) AS number
JOIN payments_gateway AS gateway ON gateway.code = 'bench'
JOIN LATERAL (
    SELECT id FROM payments_merchant ORDER BY id OFFSET number %% 20 LIMIT 1
) AS merchant ON true
RETURNING id
"""


def run(rounds: int) -> list[Table]:
    """Rates with 1, 2 and 4 workers, of the peer and of the limit; latency; a long backlog."""
    define_gateway("bench", adapter="simulator", fee_basis_points=140, fee_fixed=25)
    for number in range(MERCHANTS):
        register_merchant(f"bench{number}")
    PlainAccount.objects.bulk_create(PlainAccount(pk=pk, currency="EUR") for pk in (1, 2))
    bell = Celery(broker=broker_url())
    rates: dict[str, list[float]] = {"naive": [], "bare": []}
    with worker("benchmarks.naive", 2):
        _finish(bell, "naive", 50)
        for count in WORKERS:
            with worker("config", count):
                _finish(bell, "engine", 2_000)
                _analyze()
                rates[f"{count}"] = []
                for _ in range(rounds):
                    rates[f"{count}"].append(_finish(bell, "engine", PAYMENTS))
                    if count == 2:
                        rates["naive"].append(_finish(bell, "naive", NAIVE_PAYMENTS))
                        rates["bare"].append(_finish(bell, "bare", PAYMENTS))
    rows = [
        goal_row("engine, 2 workers", rates["2"], "a task per payment", rates["naive"], Goal(20)),
        goal_row("engine, 2 workers", rates["2"], "bare post_entries", rates["bare"], Goal(0.5)),
        goal_row("engine, 1 worker", rates["1"], "2 workers", rates["2"]),
        goal_row("engine, 4 workers", rates["4"], "2 workers", rates["2"]),
    ]
    return [
        Table("Engine: payments from PENDING to SUCCEEDED", GOAL_COLUMNS, rows),
        _waits(bell, median(rates["2"]) / 2),
        _slow_gateway(bell),
        _long_backlog(bell),
    ]


def _waits(bell: Celery, rate: float) -> Table:
    """From acceptance to SUCCEEDED when payments come one by one at half of what is possible."""
    seconds, per_arrival = 5, 20
    with worker("config", 2):
        _finish(bell, "engine", 2_000)
        first = _fill(1)[0]
        started = time.monotonic()
        sent = 0
        while (passed := time.monotonic() - started) < seconds:
            if sent < passed * rate:
                _fill(per_arrival)
                bell.send_task(Kind.PAYMENTS.value, ignore_result=True)
                sent += per_arrival
        _wait_for("SELECT count(*) FROM payments_payment WHERE due_at IS NOT NULL", 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY"
            " extract(epoch FROM event.created_at - payment.created_at))"
            " FROM payments_payment AS payment"
            " JOIN payments_event AS event ON event.subject = payment.public_id"
            " WHERE payment.id > %s",
            [first],
        )
        (found,) = cursor.fetchone()
    p50, p95, p99 = (f"{1_000 * float(value):.0f}" for value in found)
    met = "yes" if found[1] <= 1 else "no"
    return Table(
        "Engine: acceptance to SUCCEEDED at half load",
        ("payments/s", "p50 ms", "p95 ms", "p99 ms", "goal p95", "met"),
        [(f"{sent / seconds:,.0f}", p50, p95, p99, "≤ 1,000", met)],
    )


def _slow_gateway(bell: Celery) -> Table:
    with worker("config", 2, SIMULATOR_LATENCY_SECONDS="0.05"):
        _finish(bell, "engine", 200)
        rate = _finish(bell, "engine", SLOW_PAYMENTS)
    return Table(
        "Engine: every call to the gateway takes 50 ms",
        ("payments/s", "goal", "met"),
        [(f"{rate:,.0f}", "≥ 400", "yes" if rate >= 400 else "no")],
    )


def _long_backlog(bell: Celery) -> Table:
    """The same rate from the first fifth of a long queue to the last."""
    with worker("config", 2):
        first = _fill(1)[0]
        _finish(bell, "engine", BACKLOG)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT fifth, count(*) / extract(epoch FROM max(at) - min(at)) FROM ("
            "  SELECT event.created_at AS at,"
            "    ntile(5) OVER (ORDER BY event.created_at, event.id) AS fifth"
            "  FROM payments_event AS event"
            "  JOIN payments_payment AS payment ON payment.public_id = event.subject"
            "  WHERE payment.id > %s"
            ") AS told GROUP BY fifth ORDER BY fifth",
            [first],
        )
        rates = [float(rate) for _, rate in cursor.fetchall()]
    ratio = rates[-1] / rates[0]
    return Table(
        f"Engine: a backlog of {BACKLOG:,}",
        ("first fifth/s", "last fifth/s", "ratio"),
        [(f"{rates[0]:,.0f}", f"{rates[-1]:,.0f}", f"{ratio:.2f}")],
    )


def _finish(bell: Celery, contender: str, payments: int) -> float:
    """Payments per second until all of so many new ones are done."""
    ids = _fill(payments)
    entries = _count("SELECT coalesce(max(id), 0) FROM ledger_journalentry")
    if contender != "engine":
        _hide(ids)
    started = time.monotonic()
    match contender:
        case "engine":
            bell.send_task(Kind.PAYMENTS.value, ignore_result=True)
            _wait_for("SELECT count(*) FROM payments_payment WHERE due_at IS NOT NULL", 0)
        case "naive":
            for payment_id in ids:
                bell.send_task("benchmarks.naive.charge", [payment_id], queue="naive")
            done = "SELECT count(*) FROM payments_payment WHERE status = 'SUCCEEDED' AND id >= "
            _wait_for(f"{done}{ids[0]}", payments)
        case "bare":
            middle = ids[len(ids) // 2]
            run_id = uuid.uuid4().hex
            for first, last in ((ids[0], middle - 1), (middle, ids[-1])):
                bell.send_task("benchmarks.naive.post", [first, last, run_id], queue="naive")
            posted = f"SELECT count(*) FROM ledger_journalentry WHERE id > {entries}"
            _wait_for(posted, payments)
    return payments / (time.monotonic() - started)


def _fill(payments: int) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [payments])
        return [pk for (pk,) in cursor.fetchall()]


def _hide(ids: Sequence[int]) -> None:
    """They are not for the engine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_payment SET due_at = NULL WHERE id BETWEEN %s AND %s",
            [ids[0], ids[-1]],
        )


def _count(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def _wait_for(query: str, count: int) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while _count(query) != count:
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"The workers did not finish: {query}")
        time.sleep(0.02)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def broker_url() -> str:
    return BROKER.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")


@contextmanager
def worker(app: str, concurrency: int, **environment: str) -> Iterator[None]:
    """A Celery worker with so many processes works on the database in use."""
    argv = [sys.executable, "-m", "celery", "-A", app, "worker", "-c", str(concurrency)]
    options = ["-l", "ERROR", "--without-gossip", "--without-mingle", "-n", f"{app}@%h"]
    process = subprocess.Popen(
        [*argv, *options, *(["-Q", "naive"] if app == "benchmarks.naive" else [])],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "BENCH_DATABASE": connection.settings_dict["NAME"],
            "REDIS_URL": BROKER,
            "CELERY_BROKER_URL": broker_url(),
        }
        | environment,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
