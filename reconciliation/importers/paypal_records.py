"""The rows of PayPal's SFTP reports: RH report, FH file, SH section, CH column names, SB body,
SF/SC and RF/RC footers and counts, FF file end (formats.md §6 PayPal).

Amounts are unsigned, of 100 to the unit in every currency: 100.00 JPY is 10000.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from .csv_table import DELIMITERS, Dialect, Row, Rows, encoding_of, key_of, open_text
from .records import ImportRefused, RejectedLine
from .values import Unreadable, read_currency, read_day

FORMAT_NAME = "PayPal report"
CURRENCIES_MAX = 40

_opens_report = re.compile(rb"""\s*"?(?:RH|FH|SH|CH)"?[,;\t|]""").match
_is_amount = re.compile(r"[0-9]{1,18}").fullmatch
_day_with_zone = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})(?: [0-9:]{5,8}(?: [+-][0-9]{4})?)?")


def is_paypal_report(head: bytes) -> bool:
    """Whether a file that begins with `head` (without mark and NULs) is one of these reports."""
    return _opens_report(head) is not None


@contextmanager
def open_records(file: BinaryIO) -> Iterator["Records"]:
    """The rows of `file`, from its beginning; `file` stays open."""
    with open_text(file, encoding_of(file)) as text:
        first = text.readline()
    delimiter = max(DELIMITERS, key=first.count)
    with open_text(file, encoding_of(file)) as text:
        yield Records(Rows(text, FORMAT_NAME), Dialect(delimiter))


class Records:
    """The rows of one reading; iterate once."""

    def __init__(self, rows: Rows, dialect: Dialect) -> None:
        self._rows = rows
        self._dialect = dialect

    def __iter__(self) -> Iterator[Row | RejectedLine]:
        return self._rows.read(self._dialect)

    def reject(self, line_no: int, problem: Unreadable) -> RejectedLine:
        """The row that was handed out last, as it stands in the file."""
        return self._rows.reject(line_no, problem)

    def raw(self) -> str:
        return self._rows.raw()


class Columns:
    """The column names of a CH row, and what stands under them in a body row."""

    def __init__(self, cells: list[str]) -> None:
        self._width = len(cells)
        self._places = {key_of(name): place for place, name in enumerate(cells)}

    def __contains__(self, name: str) -> bool:
        return key_of(name) in self._places

    def require(self, *names: str) -> None:
        """Refuses a report that lacks one of these columns."""
        for name in names:
            if name not in self:
                raise ImportRefused("missing_column", f"{FORMAT_NAME}: no column {name!r}")

    def check_width(self, cells: list[str]) -> None:
        if len(cells) < self._width or any(cells[self._width :]):
            said = f"{len(cells)} cells under {self._width} column names"
            raise Unreadable("bad_row", said)

    def cell(self, cells: list[str], name: str) -> str:
        """The text under `name`, "" where there is no such column."""
        place = self._places.get(key_of(name), -1)
        return cells[place].strip() if 0 <= place < len(cells) else ""

    def currency(self, cells: list[str]) -> str:
        """The currency of a body row, "" if it cannot be told."""
        try:
            return read_currency(self.cell(cells, CURRENCY), CURRENCY)
        except Unreadable:
            return ""


CURRENCY = "Gross Transaction Currency"


def read_hundredths(mark: str, text: str, name: str) -> Decimal:
    """The signed amount: `mark` is CR into our balance, DR out of it; nothing at all is 0."""
    if not text and not mark:
        return Decimal(0)
    if not _is_amount(text):
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not a whole number of hundredths")
    amount = Decimal(text).scaleb(-2)
    if mark == "DR":
        return -amount
    if mark != "CR" and amount:
        raise Unreadable("bad_sign", f"{name} is marked {mark[:10]!r}, neither CR nor DR")
    return amount


def read_paypal_day(text: str, name: str) -> date:
    """The day as printed: `2026/01/06 00:00:30 -0800`."""
    found = _day_with_zone.fullmatch(text)
    if found is None:
        raise Unreadable("bad_date", f"{name} {text[:40]!r} is not a day written YYYY/MM/DD")
    return read_day("-".join(found.groups()), name)
