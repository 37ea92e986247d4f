"""History from another system: its payments and refunds, with their ledger entries."""

import gc
import itertools
import pickle
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any, TextIO

from django.db import connection, transaction

from ledger.actors import Actor
from ledger.money import Money
from payments.history import HistoryRow, read_history
from payments.models import Gateway, Payment
from payments.services.imported_payments import load_payments
from payments.services.imported_refunds import load_refunds
from payments.services.imported_rows import Chunk

ROWS_PER_CHUNK = 5_000
OBJECTS_PER_COLLECTION = 100_000

# However young the tables are and whatever the planner believes of them, rows are found by index;
# and each chunk is checked as it is written, not all of them when it is over.
SETTINGS = """
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET CONSTRAINTS ALL IMMEDIATE
"""


@dataclass(slots=True)
class ImportCounts:
    """How many rows were new and known, and what the new ones add up to per currency."""

    created: int = 0
    known: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, chunk: Chunk, new: list[HistoryRow]) -> None:
        self.created += len(new)
        self.known += len(chunk.rows) - len(new)
        for row in new:
            self.sums[row.money.currency] += row.money.amount

    def as_dict(self) -> dict[str, Any]:
        sums = {ccy: Money(total, ccy).text for ccy, total in sorted(self.sums.items())}
        return {"created": self.created, "known": self.known, "sums": sums}


@dataclass(slots=True)
class Progress:
    """How far an import is. Refunds that were read wait until all payments are loaded."""

    rows_read: int = 0
    rows_loaded: int = 0


@transaction.atomic
def import_payments(
    file: TextIO, *, actor: Actor, on_progress: Callable[[Progress], None] = lambda progress: None
) -> dict[str, ImportCounts]:
    """Load payments and refunds by the columns of the header; merchants are created as needed.

    Rows with status `settled` were settled elsewhere: they post nothing and join no batch. Rows
    loaded before are recognised by their id. It is one transaction: RowRefused names the line of
    the first bad row (one that the ledger refuses, too), and then nothing is loaded; likewise Busy,
    if another import brings the same rows at the same time.

    The file may be of any size: two chunks of it are in memory at most.
    """
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
    gateways = {gateway.code: gateway for gateway in Gateway.objects.all()}
    payments, refunds, progress = ImportCounts(), ImportCounts(), Progress()
    entered: dict[tuple[str, str], Payment] = {}
    with TemporaryFile() as aside, _fewer_collections():
        rows = _payments_first(read_history(file, gateways), aside, progress)
        for load, counts, chunks in (
            (load_payments, payments, _read_ahead(rows)),
            (load_refunds, refunds, _read_ahead(_put_aside(aside))),
        ):
            with closing(chunks):
                for chunk_rows in chunks:
                    chunk = Chunk.of(chunk_rows, gateways, actor, entered)
                    counts.add(chunk, load(chunk))
                    progress.rows_loaded += len(chunk_rows)
                    on_progress(progress)
    return {"payments": payments, "refunds": refunds}


def _payments_first(
    rows: Iterator[HistoryRow], aside: IO[bytes], progress: Progress
) -> Iterator[HistoryRow]:
    """The payments; refunds are put aside, because a file may hold them before their payments."""
    refunds = []
    for row in rows:
        progress.rows_read += 1
        if not row.is_refund:
            yield row
            continue
        refunds.append(row)
        if len(refunds) == ROWS_PER_CHUNK:
            pickle.dump(refunds, aside)
            refunds.clear()
    pickle.dump(refunds, aside)


def _put_aside(aside: IO[bytes]) -> Iterator[HistoryRow]:
    aside.seek(0)
    with suppress(EOFError):
        while True:
            yield from pickle.load(aside)


def _read_ahead(rows: Iterator[HistoryRow]) -> Generator[list[HistoryRow], None, None]:
    """The rows in chunks: while the server is busy with one, a thread reads the next."""

    def read() -> list[HistoryRow]:
        return list(itertools.islice(rows, ROWS_PER_CHUNK))

    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = reader.submit(read)
        while chunk := ahead.result():
            ahead = reader.submit(read)
            yield chunk


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """A chunk is many objects and no garbage; looking for some is a quarter of the work."""
    objects, *others = gc.get_threshold()
    gc.set_threshold(OBJECTS_PER_COLLECTION, *others)
    try:
        yield
    finally:
        gc.set_threshold(objects, *others)
