"""A bank's CSV export, read by the mapping of its source (formats.md §5).

The file is read at least twice: the first time tells its accounts and what stands around the rows,
so that each account and currency is one statement even where their rows are mixed.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from .csv_balance import RunningBalance
from .csv_file import CsvFile, Found, Kind
from .csv_labels import Labels
from .csv_line import LineReader
from .csv_mapping import CsvMapping, MappingInvalid, Options, read_mapping
from .records import (
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
)
from .values import Unreadable, read_currency

NO_OPTIONS: Options = {}
ACCOUNTS_MAX = 10_000
# Each account whose rows are mixed with another's costs one more reading of the file.
READINGS_MAX = 100
# So many rows are tried where no column names tell that a file is of this mapping.
TRIED_ROWS_MAX = 100

Key = tuple[str, str]


def parse(file: BinaryIO, options: Options = NO_OPTIONS) -> Iterator[Record]:
    """One statement per account and currency, in the order in which they begin.

    `options` is the mapping as plain data; without a valid one nothing can be read. The balances
    are those that labels name or that the running balance begins and ends with, else none.
    """
    mapping = _mapping(options)
    survey = _Survey(CsvFile(file, mapping))
    yield from _Reading(survey).records()


def matches(file: BinaryIO, options: Options) -> bool:
    """Whether the file has the columns that the mapping names; by number: whether rows read."""
    mapping = _mapping(options)
    try:
        with CsvFile(file, mapping).open() as rows:
            if rows.has_names:
                return True
            tried = zip(range(TRIED_ROWS_MAX), rows, strict=False)
            return any(_reads(rows.reader, found, mapping) for _, found in tried)
    except ImportRefused:
        return False


def _mapping(options: Options) -> CsvMapping:
    if not options:
        raise ImportRefused("no_mapping", "the source has no CSV mapping")
    try:
        return read_mapping(options)
    except MappingInvalid as problem:
        raise ImportRefused("bad_mapping", str(problem)) from problem


def _reads(reader: LineReader, found: Found, mapping: CsvMapping) -> bool:
    if found.kind is not Kind.LINE:
        return False
    try:
        reader.line(found.line_no, found.cells, mapping.currency)
    except Unreadable:
        return False
    return True


class _Survey:
    """What the first reading tells: where each account's rows begin and end, and labels."""

    def __init__(self, csv_file: CsvFile) -> None:
        self.csv_file = csv_file
        self.labels = Labels(csv_file.mapping.labels)
        spans: dict[Key, tuple[int, int]] = {}
        with csv_file.open() as rows:
            for cells in rows.preamble:
                self.labels.take(cells)
            for found in rows:
                if found.kind is Kind.LINE:
                    told = rows.reader.key(found.cells)
                    first_line, _ = spans.get(told, (found.line_no, 0))
                    spans[told] = first_line, found.line_no
                    if len(spans) > ACCOUNTS_MAX:
                        sentence = f"more than {ACCOUNTS_MAX} accounts and currencies"
                        raise ImportRefused("too_many_accounts", sentence)
                elif found.kind is Kind.OUTSIDE:
                    self.labels.take(found.cells)
        self._account = self.labels.account or csv_file.mapping.account
        self._currency = self.labels.currency or csv_file.mapping.currency
        self.spans: dict[Key, tuple[int, int]] = {}
        for told, (first_line, last_line) in spans.items():
            with suppress(Unreadable):
                key = self.resolve(told)
                first_line, last = self.spans.get(key, (first_line, 0))
                self.spans[key] = first_line, max(last, last_line)
        if not spans:
            with suppress(Unreadable):
                self.spans[self.resolve(("", ""))] = 0, 0
        if len(self.spans) > 1 and self.labels.has_balances:
            sentence = "labels tell one balance, the rows belong to several accounts or currencies"
            raise ImportRefused("ambiguous_balance", sentence)

    def resolve(self, told: Key) -> Key:
        """Account and currency of a row: what it tells, else what the file or the mapping says.

        Raises `Unreadable` where the account or the currency is missing or cannot be one.
        """
        account, currency = told[0] or self._account, told[1] or self._currency
        if not account and "account" in self.csv_file.mapping.columns:
            raise Unreadable("bad_account", "the row tells no account")
        return account, read_currency(currency, "currency")


class _Reading:
    """The later readings: each hands out the statements whose rows it finds in one piece."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey
        self._waiting = dict(survey.spans)
        self._mapping = survey.csv_file.mapping

    def records(self) -> Iterator[Record]:
        for reading in range(READINGS_MAX):
            yield from self._read(is_first=reading == 0)
            if not self._waiting:
                return
        raise ImportRefused("mixed_accounts", f"more than {READINGS_MAX} accounts, row by row")

    def _read(self, is_first: bool) -> Iterator[Record]:
        """One reading. The first one also hands out the rows that are no lines of any account."""
        statement: _Statement | None = None
        is_row_lost = False
        with self._survey.csv_file.open() as rows:
            if (0, 0) in self._waiting.values():
                empty = self._open(rows.reader, next(iter(self._waiting)))
                yield self._header(empty.key)
                yield from empty.close(self._survey.labels)
            for found in rows:
                key = self._key_of(rows.reader, found)
                if key is None:
                    is_row_lost = is_row_lost or found.kind is Kind.BAD
                    if is_first and found.problem:
                        yield RejectedLine(found.line_no, found.problem, found.raw)
                    continue
                if statement is None and self._waiting.get(key, (0, 0))[0] == found.line_no:
                    statement = self._open(rows.reader, key)
                    yield self._header(key)
                if statement is None or statement.key != key:
                    continue
                yield statement.read(found, is_row_lost)
                is_row_lost = False
                if found.line_no == statement.last_line:
                    yield from statement.close(self._survey.labels)
                    statement = None
                    if not is_first and not self._waiting:
                        return

    def _key_of(self, reader: LineReader, found: Found) -> Key | None:
        """Whose line the row is; None for what is none, with the reason if it should be said."""
        if found.kind is Kind.PENDING:
            found.problem = f"{NOT_BOOKED}: as the row says"
        if found.kind is not Kind.LINE:
            return None
        try:
            return self._survey.resolve(reader.key(found.cells))
        except Unreadable as problem:
            found.kind, found.problem = Kind.BAD, str(problem)
            return None

    def _header(self, key: Key) -> StatementHeader:
        labels, days = self._survey.labels, self._mapping.booked_days
        first, last = (labels.day(name, days) for name in ("first_day", "last_day"))
        return StatementHeader(*key, statement_id="", sequence="", first_day=first, last_day=last)

    def _open(self, reader: LineReader, key: Key) -> "_Statement":
        _, last_line = self._waiting.pop(key)
        return _Statement(reader, key, last_line, self._mapping.newest_first)


class _Statement:
    """A statement being read."""

    def __init__(self, reader: LineReader, key: Key, last_line: int, newest_first: bool) -> None:
        self.key = key
        self.last_line = last_line
        self._reader = reader
        self._balance = RunningBalance(newest_first)
        self._contradiction = ""

    def read(self, found: Found, is_row_lost: bool) -> ParsedLine | RejectedLine:
        """The line that the row is, or the row with the reason why it is none.

        `is_row_lost`: a row above it, of whatever account, could not be read.
        """
        if is_row_lost:
            self._balance.lose()
        try:
            line = self._reader.line(found.line_no, found.cells, self.key[1])
            printed = self._reader.balance(found.cells)
        except Unreadable as problem:
            self._balance.lose()
            return RejectedLine(found.line_no, str(problem), found.raw)
        contradiction = self._balance.add(line.net, printed)
        if contradiction and not self._contradiction:
            self._contradiction = f"broken_balance: line {found.line_no}: {contradiction}"
        return line

    def close(self, labels: Labels) -> Iterator[Record]:
        """The trailer, and before it what contradicts or cannot be read around the lines."""
        if self._contradiction:
            yield RejectedLine(0, self._contradiction, "")
        yield from labels.close(self._reader, *self._balance.ends)
