"""PayPal's activity download, the CSV that people get from the website (formats.md §6 PayPal).

It comes in the language, date order and decimal mark of the account. All its days and amounts are
looked at before any is read; what they leave open (3/4/2026) the source's options must tell. The
fee is negative when it costs us: net = gross + fee.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, BinaryIO

from .csv_table import Table, open_table
from .csv_values import AmountPattern, DayPattern
from .paypal_words import COLUMNS, DONE, MEMO, NEEDED, NOT_DONE, kind_of
from .records import NOT_BOOKED, ImportRefused, LineKind, ParsedLine, Record
from .report_table import read_report
from .values import Unreadable, read_currency

FORMAT_NAME = "PayPal activity download"
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
AMOUNTS = ("gross", "fee", "net")
BLANKS = " \u00a0\u2009\u202f"

_day_parts = re.compile(r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})").fullmatch
_ends_in_decimals = re.compile(r".*([.,])[0-9]{1,2}[^0-9]*").fullmatch
_has_both_marks = re.compile(r".*[.,].*([.,])[0-9]*[^0-9]*").fullmatch


def matches(table: Table) -> bool:
    """Whether the table has the columns of the download, in a language we know."""
    return all(table.at(*COLUMNS[field]) >= 0 for field in NEEDED)


def parse(file: BinaryIO, options: Mapping[str, Any] = NO_OPTIONS) -> Iterator[Record]:
    """The download as one statement; its lines move the balance of their own currency.

    `options` may tell `date_format` (D/M/YYYY or M/D/YYYY) and `decimal` (. or ,). Refuses
    `ambiguous_dates` and `ambiguous_amounts` if neither they nor the file do.
    """
    with open_table(file, FORMAT_NAME) as table:
        report = _Report(table)
        seen = _Seen()
        for row in table.rows():
            if isinstance(row, tuple):
                seen.look(report, row[1])
    report.days = _days(seen, options)
    report.amounts = _amounts(seen, options)
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, report.line)


class _Seen:
    """What all days and amounts of a file show about how they are written."""

    def __init__(self) -> None:
        self.day_shapes: set[str] = set()  # of days that leave the order open: their separator
        self.orders: set[str] = set()
        self.decimals: set[str] = set()
        self.marks: set[str] = set()

    def look(self, report: "_Report", cells: list[str]) -> None:
        found = _day_parts(cells[report.places["date"]].strip())
        if found:
            self._look_at_day(*found.groups())
        for field in AMOUNTS:
            text = cells[report.places[field]].strip()
            shown = _has_both_marks(text) or _ends_in_decimals(text)
            self.decimals |= {shown[1]} if shown else set()
            self.marks |= {
                " " if mark in BLANKS else mark for mark in text if mark in ".,'" + BLANKS
            }

    def _look_at_day(self, first: str, mark: str, second: str, third: str) -> None:
        year = {4: "YYYY", 2: "YY"}.get(len(third), "")
        if len(first) == 4:
            self.orders.add(f"YYYY{mark}M{mark}D")
        elif not year or len(first) > 2:
            return
        elif mark == "." or int(first) > 12:
            self.orders.add(f"D{mark}M{mark}{year}")
        elif int(second) > 12:
            self.orders.add(f"M{mark}D{mark}{year}")
        else:
            self.day_shapes.add(f"{mark}{year}")


def _days(seen: _Seen, options: Mapping[str, Any]) -> DayPattern:
    told = options.get("date_format")
    orders = {told} if told else seen.orders
    if len(orders) > 1 or (seen.day_shapes and not orders):
        said = f"days are written {' and '.join(sorted(orders))}" if orders else "D/M or M/D"
        raise ImportRefused("ambiguous_dates", f"{FORMAT_NAME}: {said}; set date_format")
    try:
        return DayPattern(str(orders.pop()) if orders else "YYYY-MM-DD")
    except ValueError as problem:
        raise ImportRefused("bad_options", f"{FORMAT_NAME}: date_format: {problem}") from problem


def _amounts(seen: _Seen, options: Mapping[str, Any]) -> AmountPattern:
    told = options.get("decimal")
    decimals = {told} if told else seen.decimals
    if len(decimals) > 1 or (seen.marks & {".", ","} and not decimals):
        said = "point or comma before the decimals"
        raise ImportRefused("ambiguous_amounts", f"{FORMAT_NAME}: {said}; set decimal")
    decimal = decimals.pop() if decimals else "."
    if decimal not in (".", ","):
        raise ImportRefused("bad_options", f"{FORMAT_NAME}: decimal is {decimal!r}")
    thousands = sorted(seen.marks - {decimal}, reverse=True)
    return AmountPattern(decimal, thousands[0] if thousands else "", ())


class _Report:
    """The places of the columns in one download, and how its days and amounts are written."""

    days: DayPattern
    amounts: AmountPattern

    def __init__(self, table: Table) -> None:
        self.places = {field: table.at(*names) for field, names in COLUMNS.items()}
        for field in NEEDED:
            table.require(*COLUMNS[field])

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none, or none that moved the balance."""
        said = {field: cells[place].strip() for field, place in self.places.items()}
        _check_booked(said["impact"].casefold(), said["status"].casefold())
        gross, fee, net = (self._amount(said[field], field) for field in AMOUNTS)
        if gross + fee != net:
            raise Unreadable("bad_sum", f"gross {gross} + fee {fee} is not net {net}")
        kind = kind_of(said["event"], said["type"], is_credit=gross >= 0)
        reference = said["invoice"] or said["custom"]
        is_child = kind in (LineKind.REFUND, LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL)
        ids = (said[field] for field in ("parent", "invoice", "custom", "bank", "receipt"))
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=said["id"],
            booked_on=self.days.read(said["date"], "date"),
            value_on=None,
            currency=read_currency(said["currency"], "currency"),
            gross=gross,
            fee=-fee,
            net=net,
            presentment_amount=None,
            presentment_currency="",
            reference="" if kind is LineKind.REFUND else reference,
            parent_reference=reference if is_child else "",
            payout_id=(said["bank"] or said["id"]) if kind is LineKind.PAYOUT else "",
            merchant="",
            counterparty=said["name"],
            text=said["type"],
            references=tuple({i: None for i in ids if i and (i != reference or is_child)}),
            is_reversal=kind is LineKind.DISPUTE_REVERSAL,
        )

    def _amount(self, text: str, name: str) -> Decimal:
        value, sign = self.amounts.read(text, name)
        return -value if sign < 0 else value


def _check_booked(impact: str, status: str) -> None:
    if impact == MEMO or status in NOT_DONE:
        raise Unreadable(NOT_BOOKED, f"the row is {impact or status}")
    if status and status not in DONE and not impact:
        raise Unreadable("unknown_status", f"status {status[:40]!r}")
