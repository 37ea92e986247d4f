"""Lines on their way into the database: COPY into staging tables, piece by piece.

Staged lines are nobody's business until their file is read to its end. Each piece is committed with
the progress it stands for, under the fence of whoever reads the file. While a piece is open the
database stores what it has of it, as its lines are read: it cannot be asked anything meanwhile.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from types import TracebackType
from typing import BinaryIO, Self

from django.db import connection, transaction
from django.utils import timezone
from psycopg import Copy

from ledger import sql
from ledger.errors import Invalid
from ledger.money import Money
from ledger.sql.arrays import array_literal
from payments import work
from reconciliation.importers.records import RAW_CHARS_MAX, ParsedLine
from reconciliation.models import SourceAccount, StatementFile

TEXT_LENGTH_MAX = 255
ID_LENGTH_MAX = 100
REASON_LENGTH_MAX = 255
CODE_LENGTH_MAX = 60
ROWS_PER_PIECE = 5_000
ROWS_PER_WRITE = 500

COPY_LINES = (
    "COPY reconciliation_stagedline (file_id, position, statement_no, source_account_id, line_no,"
    " booked_on, value_on, gross, fee, net, presentment_amount, kind, identity, external_id,"
    " presentment_currency, reference, parent_reference, payout_id, merchant, counterparty, text,"
    ' "references") FROM STDIN'
)
COPY_REJECTIONS = (
    "COPY reconciliation_stagedrejection (file_id, position, line_no, code, reason, raw) FROM STDIN"
)

# COPY's text format: tabs between the columns, a line feed after each row, and these written so.
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_needs_escape = re.compile(r"[\0\\\t\n\r\ud800-\udfff]").search
_unstorable = re.compile(r"[\0\ud800-\udfff]")  # halves of a character are no text either


class TakenOver(Exception):
    """Somebody else reads the file now; what this process found out is worth nothing."""


class Staging:
    """Takes what is read from a file, beginning from nothing; inside a `with`, at whose end
    everything is kept that no exception is in the way of.

    Holds ROWS_PER_WRITE lines, and a piece's rejections. Raises TakenOver.
    """

    def __init__(
        self,
        file: StatementFile,
        stream: BinaryIO,
        on_progress: Callable[[StatementFile], None],
    ) -> None:
        self.staged = 0
        self.rejected = 0
        self._read = 0
        self._file = file
        self._file_id = file.pk
        self._stream = stream
        self._on_progress = on_progress
        self._lines: list[str] = []
        self._rejections: list[str] = []
        self._piece: AbstractContextManager[Copy] | None = None

    def __enter__(self) -> Self:
        sql.execute("reconciliation", "forget_staged_lines", file_id=self._file_id)
        self.flush()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._abandon(error)
            return
        try:
            self.flush()
        except BaseException as problem:
            self._abandon(problem)
            raise

    def add(self, line: ParsedLine, account: SourceAccount, statement_no: int) -> int:
        """Stage a line and return its net, minor units. Raises Invalid for an inexact amount."""
        currency = account.currency
        gross, fee = _minor(line.gross, currency), _minor(line.fee, currency)
        net = _minor(line.net, currency)
        presented, presented_in = NULL, ""
        if line.presentment_amount is not None:
            presented_in = line.presentment_currency
            presented = str(_minor(line.presentment_amount, presented_in))
        _check_lengths(line)
        texts = copied(
            line.kind,
            identity_of(line),
            line.external_id,
            presented_in,
            line.reference,
            line.parent_reference,
            line.payout_id,
            line.merchant,
            line.counterparty,
            line.text,
            _references(line) if line.references else "{}",
        )
        self.staged += 1
        self._lines.append(
            f"{self._file_id}\t{self.staged}\t{statement_no}\t{account.id}\t{line.line_no}\t"
            f"{_day(line.booked_on)}\t{_day(line.value_on or line.booked_on)}\t"
            f"{gross}\t{fee}\t{net}\t{presented}\t{texts}"
        )
        if len(self._lines) == ROWS_PER_WRITE:
            self._write()
        self.count()
        return net

    def reject(self, line_no: int, reason: str, raw: str) -> None:
        """Stage a line that cannot be read. `reason` begins with a code and a colon."""
        self.rejected += 1
        code = reason.partition(":")[0]
        texts = (code[:CODE_LENGTH_MAX], reason[:REASON_LENGTH_MAX], raw[:RAW_CHARS_MAX])
        clean = (_unstorable.sub("\ufffd", text) for text in texts)
        self._rejections.append(f"{self._file_id}\t{self.rejected}\t{line_no}\t{copied(*clean)}")
        self.count()

    def count(self) -> None:
        """One more line is read, and perhaps stays out of the books."""
        self._read += 1
        if self._read % ROWS_PER_PIECE == 0:
            self.flush()

    def pause(self) -> None:
        """Let the database be asked something, until a line is added."""
        if self._piece is not None:
            self.flush()

    def flush(self) -> None:
        """Keep what there is, say how far the reading is, and go on holding the file."""
        self._write()
        assert self._piece is not None
        piece, self._piece = self._piece, None
        piece.__exit__(None, None, None)
        self._on_progress(self._file)

    def _abandon(self, error: BaseException) -> None:
        piece, self._piece = self._piece, None
        if piece is not None:
            piece.__exit__(type(error), error, error.__traceback__)

    def _write(self) -> None:
        if self._piece is None:
            piece = self._new_piece()
            self._copy = piece.__enter__()
            self._piece = piece
        if self._lines:
            self._copy.write("".join(self._lines))
            self._lines.clear()

    @contextmanager
    def _new_piece(self) -> Iterator[Copy]:
        with (
            transaction.atomic(),
            connection.wrap_database_errors,
            connection.connection.cursor() as cursor,
        ):
            # It is open for as long as its lines take to be read.
            cursor.execute("SET LOCAL statement_timeout = 0")
            with cursor.copy(COPY_LINES) as copy:
                yield copy
            if self._rejections:
                with cursor.copy(COPY_REJECTIONS) as copy:
                    copy.write("".join(self._rejections))
                self._rejections.clear()
            self._renew()

    def _renew(self) -> None:
        file = self._file
        file.bytes_read, file.lines_read = min(self._stream.tell(), file.size), self._read
        renewed = StatementFile.objects.filter(pk=file.pk, fence=file.fence).update(
            bytes_read=file.bytes_read,
            lines_read=file.lines_read,
            leased_until=timezone.now() + timedelta(seconds=work.LEASE_SECONDS),
        )
        if not renewed:
            raise TakenOver(f"{file} is read by somebody else.")


def copied(*texts: str) -> str:
    """The last columns of a row for COPY. Raises Invalid for what PostgreSQL has no text for."""
    if _needs_escape("".join(texts)):
        if any(map(_unstorable.search, texts)):
            raise Invalid("a field has a NUL character, or half of one")
        texts = tuple(text.translate(_ESCAPES) for text in texts)
    return "\t".join(texts) + "\n"


_day = lru_cache(maxsize=4_096)(str)


@lru_cache(maxsize=65_536)
def _minor(value: Decimal, currency: str) -> int:
    """The amount in minor units. Raises Invalid for an inexact one."""
    return Money.exactly(value, currency).amount


def _references(line: ParsedLine) -> str:
    return array_literal([each[:TEXT_LENGTH_MAX] for each in line.references])


def _check_lengths(line: ParsedLine) -> None:
    if (
        len(line.reference) > TEXT_LENGTH_MAX
        or len(line.parent_reference) > TEXT_LENGTH_MAX
        or len(line.counterparty) > TEXT_LENGTH_MAX
    ):
        raise Invalid(f"a field is longer than {TEXT_LENGTH_MAX} characters")
    if (
        len(line.external_id) > ID_LENGTH_MAX
        or len(line.payout_id) > ID_LENGTH_MAX
        or len(line.merchant) > ID_LENGTH_MAX
    ):
        raise Invalid(f"an id is longer than {ID_LENGTH_MAX} characters")


def identity_of(line: ParsedLine) -> str:
    """What makes the line the same line in another file.

    The kind, the reporter's line id, and where and when it counts: the same id in another payout is
    a second report of it. Without an id, a hash of everything the line says.
    """
    if line.external_id:
        return f"{line.kind}:{line.external_id}:{_digest_of_report(line.value_on, line.payout_id)}"
    said = (
        line.kind,
        line.booked_on,
        line.value_on,
        line.gross,
        line.fee,
        line.net,
        line.reference,
        line.parent_reference,
        line.payout_id,
        line.merchant,
        line.counterparty,
        line.text,
        line.references,
    )
    return f"sha256:{_digest(said)}"


@lru_cache(maxsize=4_096)
def _digest_of_report(*said_again: object) -> str:
    return _digest(said_again)[:12]


def _digest(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()
