"""Loading a processor's report, and payments of another system, beside a bare COPY of the rows."""

import csv
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from django.db import connection

from benchmarks.database import run as execute
from benchmarks.table import Table
from ledger.actors import Actor
from payments.services.gateways import define_gateway
from payments.services.imports import import_payments
from reconciliation.models import Source, StatementLine
from reconciliation.services.imports import import_statement
from reconciliation.services.sources import SourceTerms, define_source

ACTOR = Actor.system("bench")
START = datetime(2026, 3, 17, tzinfo=UTC)
MERCHANTS = 100
LOAD_GOAL_MB = 300
IMPORT_GOAL_SECONDS = 120  # of a million rows, on 2 cores
PIECE_BYTES = 1 << 20
REPORT_COLUMNS = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,"
    "reporting_category,automatic_payout_id,connected_account,payment_metadata[reference]"
).split(",")
PAYMENT_COLUMNS = (
    "payment_id,merchant,type,amount,currency,reference,created_at,psp,status,expected_fee,"
    "fee_currency,expected_settlement_date"
).split(",")


@dataclass(frozen=True)
class Spent:
    """What a piece of work took: of the clock, of our process, of the server's."""

    seconds: float
    cpu: float
    server_cpu: float


def run(rows: int) -> list[Table]:
    """Lines per second of each, of a bare COPY of what it wrote, and the memory it took."""
    define_gateway("bench")
    terms = SourceTerms(
        kind=Source.Kind.PROCESSOR_REPORT,
        formats=("stripe.payout_reconciliation",),
        gateway="bench",
    )
    source = define_source("bench", terms)
    before = _peak()
    with tempfile.TemporaryDirectory() as folder:
        report, payments = Path(folder, "report.csv"), Path(folder, "payments.csv")
        _write(report, REPORT_COLUMNS, rows, _line)
        _write(payments, PAYMENT_COLUMNS, rows, _payment)
        with report.open("rb") as content:
            load = _spent(lambda: import_statement(source, content, name="bench", actor=ACTOR))
        assert StatementLine.objects.count() == rows
        after_load = _peak()
        bare_load = _timed_copy("reconciliation_statementline")
        with payments.open(newline="") as history:
            imported = _spent(lambda: import_payments(history, actor=ACTOR))
        after_import = _peak()
    written = ("payments_payment", "ledger_journalentry", "ledger_posting")
    bare_import = sum(map(_timed_copy, written))
    goal = IMPORT_GOAL_SECONDS * rows / 1_000_000
    return [
        Table(
            f"Statements: {rows:,} rows in",
            (
                *("what", "seconds", "rows/s", "CPU of ours", "CPU of PostgreSQL"),
                *("bare COPY, seconds", "ratio", "goal", "met"),
            ),
            [
                (*_row("import_statement", rows, load, bare_load), "", ""),
                (
                    *_row("import_payments, with entries", rows, imported, bare_import),
                    f"≤ {goal:.0f} s",
                    "yes" if imported.seconds <= goal else "no",
                ),
            ],
        ),
        Table(
            "Statements: peak memory, MB",
            ("process", "before", "after the report", "after the payments", "goal", "met"),
            [
                (
                    "ours",
                    *(f"{each}" for each in (before, after_load, after_import)),
                    f"≤ {LOAD_GOAL_MB}",
                    "yes" if after_import <= LOAD_GOAL_MB else "no",
                )
            ],
        ),
    ]


def _row(what: str, rows: int, ours: Spent, bare: float) -> tuple[str, ...]:
    seconds, rate = f"{ours.seconds:.1f}", f"{rows / ours.seconds:,.0f}"
    cpu = (f"{ours.cpu:.1f}", f"{ours.server_cpu:.1f}")
    return (what, seconds, rate, *cpu, f"{bare:.1f}", f"{ours.seconds / bare:.1f}")


def _line(number: int, at: datetime) -> tuple[str, ...]:
    created, reference = f"{at:%Y-%m-%d %H:%M:%S}", f"REF-{number:012d}"
    said = (f"txn_{number}", created, "2026-03-18 00:00:00", "eur", "50.00", "0.95", "49.05")
    return (*said, "charge", f"po_{number % 50}", f"M{number % MERCHANTS}", reference)


def _payment(number: int, at: datetime) -> tuple[str, ...]:
    amount = f"{10 + number % 9_000}.{number % 100:02d}"
    said = (f"P{number}", f"M{number % MERCHANTS}", "payment", amount, "EUR")
    rest = ("bench", "captured", "0.95", "EUR", "2026-03-18")
    return (*said, f"REF-{number:012d}", at.isoformat(), *rest)


def _write(
    path: Path,
    names: list[str],
    rows: int,
    row_of: Callable[[int, datetime], tuple[str, ...]],
) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for number in range(rows):
            writer.writerow(row_of(number, START + timedelta(seconds=number % 86_000)))


def _timed_copy(table: str) -> float:
    """Seconds of a COPY of what the table holds into one like it, without triggers and keys."""
    execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING INDEXES)")
    with tempfile.TemporaryFile() as rows:
        _copy(f"COPY {table} TO STDOUT", rows, is_out=True)
        rows.seek(0)
        seconds = _timed(lambda: _copy(f"COPY bare_{table} FROM STDIN", rows, is_out=False))
    execute(f"DROP TABLE bare_{table}")
    return seconds


def _copy(statement: str, rows: IO[bytes], *, is_out: bool) -> None:
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        if is_out:
            for piece in copy:
                rows.write(piece)
        else:
            while piece := rows.read(PIECE_BYTES):
                copy.write(piece)


def _spent(work: Callable[[], object]) -> Spent:
    cpu, server_cpu = time.process_time(), _server_cpu()
    seconds = _timed(work)
    return Spent(seconds, time.process_time() - cpu, _server_cpu() - server_cpu)


def _server_cpu() -> float:
    """Seconds that the process which serves our connection has worked; 0 if it is elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
