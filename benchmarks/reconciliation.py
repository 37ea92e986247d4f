"""A day of payments against the processor's report of it, beside two limits on the same rows."""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import BinaryIO

from django.db import connection

from benchmarks.database import RUN, TEMPLATE, copy, use
from benchmarks.database import run as execute
from benchmarks.table import Table
from ledger import sql
from ledger.actors import Actor
from payments.gateways.simulated_report import COLUMNS
from payments.models import Merchant, Payment
from payments.services.gateways import define_gateway
from reconciliation.importers import FORMATS
from reconciliation.importers.records import ParsedLine
from reconciliation.models import Discrepancy, Match, ReconciliationRun, Source, StatementLine
from reconciliation.services import runs
from reconciliation.services.imports import import_statement
from reconciliation.services.sources import SourceTerms, define_source

FORMAT = "stripe.payout_reconciliation"
ACTOR = Actor.system("bench")
GROWTH = (10_000, 100_000, 1_000_000, 2_000_000)
MERCHANTS = 100
LOOK_SECONDS = 0.02
JOIN_GOAL, RUN_GOAL, AGAIN_GOAL = 12, 60, 2

PARSE = "parse the report"
LOAD = "parse and load it"
MATCH = "match: all passes, outcomes written and indexed"
POST = "post what matches prove, fees in groups"
SEAL = "hash and seal the run"
AGAIN = "a second run, nothing new"
WHOLE = "whole run: parse, load, match, post, seal"
JOIN = "(a) bare hash join, count(*)"
LOOP = "(b) Python dict loop"

# One of 1,000 payments each is reported in one of these ways, all others as they are.
RETYPED, AMOUNT, FEE, LATE, MISSING, DUPLICATE, ORPHAN = range(7)

HASH_JOIN = """
SELECT count(*) FROM payments_payment AS payment
JOIN reconciliation_statementline AS line USING (reference)
JOIN reconciliation_sourceaccount AS account
    ON account.id = line.source_account_id AND account.currency = payment.currency
WHERE line.gross = payment.amount_captured
"""


@dataclass
class Phase:
    """What one step took: seconds, and the most memory our process and PostgreSQL's had, MB."""

    name: str
    seconds: float
    ours: int
    servers: int


@dataclass
class Stopwatch:
    """Steps one after the other; each ends where the next one begins."""

    phases: list[Phase] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._memory = _Memory()
        self._started = perf_counter()
        try:
            yield
        finally:
            self._memory.stop()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.phases.append(Phase(name, now - self._started, *self._memory.peaks()))
        self._started = now

    def __getitem__(self, name: str) -> float:
        return sum(phase.seconds for phase in self.phases if phase.name == name)


class _Memory:
    """Looks every few milliseconds at what both processes hold; shared buffers are left out."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (self._server,) = cursor.fetchone()
        self._is_over = Event()
        self._peaks = [0, 0]
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def peaks(self) -> tuple[int, int]:
        """Since the last time, MB."""
        ours, servers = self._peaks
        self._peaks = [0, 0]
        return ours, servers

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            found = [_anonymous_mb("self"), _anonymous_mb(str(self._server))]
            self._peaks = list(map(max, self._peaks, found))


def _anonymous_mb(pid: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0  # not on this machine
    kilobytes = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(kilobytes.split()[1]) // 1024


def run(rows: int, *, has_growth: bool = False) -> list[Table]:
    """A table of the phases for so many rows; with growth also what a line costs at other sizes."""
    watches = {}
    for size in sorted({rows, *(GROWTH if has_growth else ())}):
        copy(TEMPLATE, RUN)
        use(RUN)
        watches[size] = measure(size)
    tables = [_phases(rows, watches[rows])]
    if has_growth:
        tables.append(_growth(watches))
    return tables


def measure(rows: int) -> Stopwatch:
    """Load, match and post a day of so many payments in the empty database that is in use."""
    define_gateway("bench")
    Merchant.objects.bulk_create(Merchant(code=f"M{n}", name="") for n in range(MERCHANTS))
    sql.execute("benchmarks", "fill_reported_payments", payments=rows)
    execute("VACUUM ANALYZE payments_payment")
    terms = SourceTerms(kind=Source.Kind.PROCESSOR_REPORT, formats=(FORMAT,), gateway="bench")
    source = define_source("bench", terms)
    watch = Stopwatch()
    with tempfile.TemporaryFile() as report:
        _write_report(report, rows)
        report.seek(0)
        with watch.running():
            _measure(watch, source, report, rows)
    return watch


def _measure(watch: Stopwatch, source: Source, report: BinaryIO, rows: int) -> None:
    lines = sum(isinstance(record, ParsedLine) for record in FORMATS[FORMAT](report))
    watch.lap(PARSE)
    report.seek(0)
    import_statement(source, report, name="bench.csv", actor=ACTOR)
    watch.lap(LOAD)
    execute("ANALYZE reconciliation_statementline")
    book_run = runs.book_run

    def book(run: ReconciliationRun) -> None:
        watch.lap(MATCH)
        book_run(run)
        watch.lap(POST)

    _compare(watch)
    runs.book_run = book
    try:
        runs.reconcile()
    finally:
        runs.book_run = book_run
    watch.lap(SEAL)
    _compare(watch)
    runs.reconcile()
    watch.lap(AGAIN)
    found = Match.objects.count(), Discrepancy.objects.count()
    assert (lines, *found) == _expected(rows), (lines, *found)


def _compare(watch: Stopwatch) -> None:
    watch.lap("")
    execute(HASH_JOIN)
    watch.lap(JOIN)
    _match_in_python()
    watch.lap(LOOP)


def _match_in_python() -> int:
    """The obvious way: payments by reference in a dict, and each line looked up in it."""
    payments = {
        (reference, currency): amount
        for reference, currency, amount in Payment.objects.values_list(
            "reference", "currency", "amount_captured"
        ).iterator()
    }
    lines = StatementLine.objects.values_list("reference", "source_account__currency", "gross")
    return sum(
        payments.get((reference, currency)) == gross
        for reference, currency, gross in lines.iterator()
    )


def _write_report(file: BinaryIO, rows: int) -> None:
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for number in range(rows):
        writer.writerows(_lines_of(number))
    text.detach()


def _lines_of(number: int) -> Iterator[dict[str, str]]:
    """How the payment is reported; of 1,000 the first PLANTED in ways of their own."""
    way = number % 1_000
    if way == MISSING:
        return
    reference, gross = f"REF-{number:012d}", 1000 + number % 9000
    fee, day = 95, "2026-03-18"
    if way == RETYPED:
        reference = reference.lower().replace("-", " ")
    elif way == AMOUNT:
        gross -= 20
    elif way == FEE:
        fee += 1
    elif way == LATE:
        day = "2026-03-19"
    line = {
        "balance_transaction_id": f"txn_{number}",
        "created_utc": "2026-03-17 12:00:00",
        "available_on_utc": f"{day} 00:00:00",
        "currency": "eur",
        "gross": f"{gross / 100:.2f}",
        "fee": f"{fee / 100:.2f}",
        "net": f"{(gross - fee) / 100:.2f}",
        "reporting_category": "charge",
        "payment_metadata[reference]": reference,
        "connected_account": f"M{number % MERCHANTS}",
    }
    yield line
    if way == DUPLICATE:
        yield {**line, "balance_transaction_id": f"txn_{number}_again"}
    elif way == ORPHAN:
        unknown = {"payment_metadata[reference]": f"UNKNOWN-{number:012d}"}
        yield {**line, **unknown, "balance_transaction_id": f"txn_{number}_nobodys"}


def _expected(rows: int) -> tuple[int, int, int]:
    """Lines, matches and discrepancies."""

    def count(way: int) -> int:
        return len(range(way, rows, 1_000))

    missing, more = count(MISSING), count(DUPLICATE) + count(ORPHAN)
    found = missing + more + count(AMOUNT) + count(FEE) + count(LATE)
    return rows - missing + more, rows - missing, found


def _phases(rows: int, watch: Stopwatch) -> Table:
    joins = [phase.seconds for phase in watch.phases if phase.name == JOIN]
    join = sum(joins) / len(joins)
    whole = sum(watch[name] for name in (LOAD, MATCH, POST, SEAL))
    goals = {
        MATCH: (watch[MATCH] / join, JOIN_GOAL, f"≤ {JOIN_GOAL} × the join"),
        AGAIN: (watch[AGAIN], AGAIN_GOAL, f"≤ {AGAIN_GOAL} s"),
    }
    table = []
    for phase in watch.phases:
        if not phase.name:
            continue
        goal = goals.get(phase.name)
        met = "" if goal is None else "yes" if goal[0] <= goal[1] else "no"
        table.append(
            (
                phase.name,
                f"{phase.seconds:.2f}",
                f"{phase.seconds / join:.1f}",
                f"{phase.ours}",
                f"{phase.servers}",
                goal[2] if goal else "",
                met,
            )
        )
    met = "yes" if whole <= RUN_GOAL * rows / 1_000_000 else "no"
    table.append(
        (
            WHOLE,
            f"{whole:.2f}",
            f"{whole / join:.1f}",
            *("", ""),
            f"≤ {RUN_GOAL} s per 1,000,000",
            met,
        )
    )
    return Table(
        f"Reconciliation: {rows:,} payments and the report of them",
        ("what", "seconds", "× the join", "our MB", "PostgreSQL's MB", "goal", "met"),
        table,
    )


def _growth(watches: dict[int, Stopwatch]) -> Table:
    steps = (LOAD, MATCH, POST, SEAL, AGAIN)
    return Table(
        "Reconciliation: microseconds per line",
        ("lines", *steps),
        [
            (f"{size:,}", *(f"{1e6 * watch[step] / size:.1f}" for step in steps))
            for size, watch in watches.items()
        ],
    )
