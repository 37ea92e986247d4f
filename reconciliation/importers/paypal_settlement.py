"""PayPal settlement (STL) and transaction detail (TRR) reports as statements, one per currency.

A report has sections, each of one account; within one, the lines of a currency between its
balances are a statement, so the file is read once per currency. The footers of a settlement report
state gross and fee totals, which no trailer holds: if the lines do not add up to them, that is said
by a `RejectedLine` 0. What a withdrawal consists of PayPal does not tell.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO

from .csv_table import Row
from .paypal_line import REQUIRED, STATUS, read_line
from .paypal_records import (
    CURRENCIES_MAX,
    CURRENCY,
    Columns,
    Records,
    open_records,
    read_paypal_day,
)
from .paypal_totals import Footer, Moved, read_footer
from .records import (
    NOT_BOOKED,
    ImportRefused,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from .values import Unreadable

SETTLEMENT, TRANSACTIONS = "paypal.settlement", "paypal.transactions"


def format_of(file: BinaryIO) -> str:
    """Which of the two reports it is; refuses the reports of PayPal in which no money moves."""
    with open_records(file) as records:
        for row in records:
            if isinstance(row, tuple) and _type(row) == "CH":
                return _format_of(Columns(row[1]))
    return SETTLEMENT


def _format_of(columns: Columns) -> str:
    if CURRENCY not in columns:
        said = "of subscriptions" if "Subscription ID" in columns else "without transactions"
        raise ImportRefused("unknown_format", f"a PayPal report {said}: no money moves in it")
    return TRANSACTIONS if STATUS in columns else SETTLEMENT


def parse_settlement(file: BinaryIO) -> Iterator[Record]:
    """STL: what moved the balance, with opening and closing balance per currency."""
    return _parse(file, SETTLEMENT)


def parse_transactions(file: BinaryIO) -> Iterator[Record]:
    """TRR: every transaction; those that did not move the balance are rejected as not booked."""
    return _parse(file, TRANSACTIONS)


@dataclass
class _Section:
    """One account in one report; its currencies in the order of their first row."""

    account: str
    first_day: date | None
    last_day: date | None
    currencies: dict[str, None] = field(default_factory=dict)
    footers: dict[str, Footer] = field(default_factory=dict)

    def note(self, currency: str) -> None:
        if currency:
            self.currencies[currency] = None
        if len(self.currencies) > CURRENCIES_MAX:
            raise ImportRefused("too_many_currencies", f"more than {CURRENCIES_MAX} in a section")

    def currency(self, rank: int) -> str:
        return [*self.currencies, ""][rank]


def _parse(file: BinaryIO, code: str) -> Iterator[Record]:
    found = format_of(file)
    survey = _Survey(file)
    if found != code or not survey.sections:
        what = found if survey.sections else "nothing of PayPal"
        raise ImportRefused("not_this_format", f"{what}, not {code}")
    reader = _Reader(survey, has_totals=code == SETTLEMENT)
    for rank in range(max(max(len(each.currencies) for each in survey.sections), 1)):
        with open_records(file) as records:
            yield from reader.read(records, rank)
    yield from survey.problems
    yield from reader.check_report()


def _type(row: Row) -> str:
    return row[1][0].strip()


def _by_section(records: Records) -> Iterator[tuple[int, Row | RejectedLine]]:
    """The rows with the number of their section, from 0: a section may have no SH."""
    index = -1
    for row in records:
        if isinstance(row, tuple):
            kind = _type(row)
            index += kind == "SH" or (index < 0 and kind in ("CH", "SB", "SF"))
        yield index, row


class _Survey:
    """What is known of a report before its lines are read."""

    def __init__(self, file: BinaryIO) -> None:
        self.sections: list[_Section] = []
        self.report_footers: dict[str, Footer] = {}
        self.problems: list[RejectedLine] = []
        self._columns: Columns | None = None
        with open_records(file) as records:
            for index, row in _by_section(records):
                if isinstance(row, tuple):
                    self._take(index, row, records)
        for section in self.sections:
            if len(self.sections) == 1 and not section.footers:
                section.footers = self.report_footers
            for currency in section.footers:
                section.note(currency)

    def _take(self, index: int, row: Row, records: Records) -> None:
        kind, cells = _type(row), row[1]
        if index == len(self.sections):
            self.sections.append(_section(cells if kind == "SH" else []))
        if kind == "CH":
            self._columns = Columns(cells)
            self._columns.require(*REQUIRED)
        elif kind == "SB":
            if self._columns is None:
                raise ImportRefused("missing_column", "a body row above the column names")
            self.sections[index].note(self._columns.currency(cells))
        elif kind == "RF" or (kind == "SF" and index >= 0):
            footers = self.report_footers if kind == "RF" else self.sections[index].footers
            try:
                footer = read_footer(*row)
                if footers.setdefault(footer.currency, footer) is not footer:
                    raise Unreadable("bad_footer", f"a second {kind} of {footer.currency}")
            except Unreadable as problem:
                reason = f"{problem} (line {row[0]})"
                self.problems.append(RejectedLine(0, reason, records.raw()))


def _section(cells: list[str]) -> _Section:
    """The section that an SH row opens: period and account."""
    days: list[date | None] = []
    for text in [*cells, "", "", ""][1:3]:
        try:
            days.append(read_paypal_day(text.strip(), "period"))
        except Unreadable:
            days.append(None)
    return _Section([*cells, "", "", "", ""][3].strip(), days[0], days[1])


class _Reader:
    """Reads the lines of each section's n-th currency and adds up what the footers state."""

    def __init__(self, survey: _Survey, *, has_totals: bool) -> None:
        self._survey = survey
        self._has_totals = has_totals
        self._report: dict[str, Moved] = defaultdict(Moved)

    def read(self, records: Records, rank: int) -> Iterator[Record]:
        """A statement for every section that has a currency of this rank.

        What cannot be read so far that its currency shows is rejected with the first one.
        """
        columns = Columns([])
        for index, numbered in groupby(_by_section(records), key=itemgetter(0)):
            rows = map(itemgetter(1), numbered)
            if index < 0:
                yield from (row for row in rows if rank == 0 and isinstance(row, RejectedLine))
                continue
            section = self._survey.sections[index]
            is_read = rank < max(len(section.currencies), 1)
            currency = section.currency(rank) if is_read else ""
            moved = Moved()
            if is_read:
                days = section.first_day, section.last_day
                yield StatementHeader(section.account, currency, "", "", *days)
            for row in rows:
                if isinstance(row, RejectedLine):
                    moved.is_complete = False
                    yield from [row] * (rank == 0)
                elif _type(row) == "CH":
                    columns = Columns(row[1])
                elif _type(row) == "SB" and is_read:
                    named = columns.currency(row[1])
                    if named == currency or (rank == 0 and not named):
                        yield _read_row(records, columns, row, moved)
            if is_read:
                yield from self._close(section, currency, moved)

    def _close(self, section: _Section, currency: str, moved: Moved) -> Iterator[Record]:
        self._report[currency].include(moved)
        footer = section.footers.get(currency) if self._has_totals else None
        if footer is None:
            yield StatementTrailer()
            return
        if reason := moved.contradiction(footer):
            yield RejectedLine(0, reason, "")
        yield StatementTrailer(
            opening=footer.opening,
            opening_on=section.first_day,
            closing=footer.closing,
            closing_on=section.last_day,
            declared_count=footer.count,
        )

    def check_report(self) -> Iterator[RejectedLine]:
        """What the footers of the whole report state otherwise."""
        if self._has_totals:
            for currency, footer in self._survey.report_footers.items():
                if any(
                    section.footers.get(currency) is footer for section in self._survey.sections
                ):
                    continue
                if reason := self._report[currency].contradiction(footer):
                    yield RejectedLine(0, reason, "")


def _read_row(records: Records, columns: Columns, row: Row, moved: Moved) -> Record:
    try:
        line = read_line(columns, *row)
    except Unreadable as problem:
        moved.is_complete = moved.is_complete and str(problem).startswith(NOT_BOOKED)
        return records.reject(row[0], problem)
    moved.net += line.net
    return line
