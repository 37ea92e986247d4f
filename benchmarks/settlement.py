"""Settling a day of many payments beside the same work as one bare statement."""

import resource
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.database import run as execute
from benchmarks.table import Table
from ledger.actors import Actor
from payments.models import Merchant
from payments.services.gateways import define_gateway
from settlements.models import SettlementBatch
from settlements.services.batches import run_settlement

MERCHANTS = 1_000
PAYMENTS = 1_000_000
GOAL = 3
SQL = Path(__file__).with_name("sql")
AGGREGATE = """
SELECT merchant_id, currency, count(*), sum(amount_captured), sum(fee) FROM payments_payment
WHERE status = 'SUCCEEDED' AND NOT is_settled_elsewhere GROUP BY merchant_id, currency
"""


def run(payments: int = PAYMENTS) -> list[Table]:
    """Seconds of one run, and of the bare statement before and after it."""
    define_gateway("bench")
    Merchant.objects.bulk_create(Merchant(code=f"bench{n}", name="") for n in range(MERCHANTS))
    with connection.cursor() as cursor:
        cursor.execute((SQL / "fill_payments.sql").read_text(), {"payments": payments})
        cursor.execute("VACUUM ANALYZE")
    for table, like in (
        ("bare_batch", "settlements_settlementbatch"),
        ("bare_line", "settlements_settlement"),
    ):
        execute(f"CREATE TABLE {table} (LIKE {like} INCLUDING INDEXES)")
    aggregate = min(_timed(lambda: execute(AGGREGATE)) for _ in range(2))
    bare = [_timed(_settle_bare)]
    before, server_before = _peak(), _server_peak()
    day = timezone.now().date() + timedelta(days=1)
    ours = _timed(lambda: run_settlement(day, actor=Actor.system("bench")))
    after, server_after = _peak(), _server_peak()
    assert SettlementBatch.objects.count() == MERCHANTS
    bare.append(_timed(_settle_bare))
    limit = sum(bare) / len(bare)
    ratio = ours / limit
    return [
        Table(
            f"Settlement: {payments:,} payments of {MERCHANTS:,} merchants in one run",
            ("what", "seconds", "ratio", "goal", "met"),
            [
                (
                    "run_settlement, posted, payouts made",
                    f"{ours:.1f}",
                    f"{ratio:.2f}",
                    f"≤ {GOAL}",
                    "yes" if ratio <= GOAL else "no",
                ),
                ("the same rows by one bare statement", f"{limit:.1f}", "1.00", "", ""),
                ("their sums alone, nothing written", f"{aggregate:.1f}", "", "", ""),
            ],
        ),
        Table(
            "Settlement: peak memory, MB",
            ("process", "before the run", "after it"),
            [
                ("ours", f"{before}", f"{after}"),
                ("PostgreSQL's for us", f"{server_before}", f"{server_after}"),
            ],
        ),
    ]


@transaction.atomic
def _settle_bare() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("TRUNCATE bare_batch, bare_line")
        cursor.execute((SQL / "settle_bare.sql").read_text())


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _server_peak() -> str:
    """Of the process that serves our connection, shared buffers left out; if it runs here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "not here"
    kilobytes = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    return str(int(kilobytes["RssAnon"].split()[0]) // 1024)
