"""BAI2 balance reports of cash management, each account record a statement (formats.md §3).

A parser of our own: the library bai2 (0.15.0) gives up a record that goes on in the middle of a
group of four. Control totals and counts are checked here, for they add up amounts without regard
to their direction, which no trailer can say; what does not agree is a rejected line of number 0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from .bai2_account import DEFAULT_CURRENCY, Account, read_bai_day
from .bai2_records import BaiFields, BaiRecord, is_digits, read_minor_units, read_records
from .records import ImportRefused, Record, RejectedLine
from .values import Unreadable

VERSIONS = ("", "2", "3")
# A group may also be there to delete an earlier one (2) or as a test (4): what it lists did not
# happen. One that corrects (3) is read and said: whether it is already loaded, we cannot tell here.
UPDATE_STATUS = ("", "1")
CORRECTION_STATUS = "3"

_opens_file = re.compile(rb"01,[^,\r\n]*,[^,\r\n]*,[0-9]{6,8},").match
HEAD_BYTES = 1024

# Which records may follow within which: "" is outside of a file.
CONTAINERS = {"01": "", "02": "01", "03": "02", "16": "03", "49": "03", "98": "02", "99": "01"}
CLOSES = {"49": "02", "98": "01", "99": ""}


@dataclass(slots=True)
class _Level:
    """A file or a group: what its trailer must agree with. A sum is None if it cannot be known."""

    parts_count: int = 0
    records_count: int = 0
    control_sum: int | None = 0

    def add(self, part: "_Level") -> None:
        self.parts_count += 1
        self.records_count += part.records_count
        sums = (self.control_sum, part.control_sum)
        self.control_sum = None if None in sums else sum(total or 0 for total in sums)


def is_bai2(file: BinaryIO) -> bool:
    """Whether the file opens with a BAI2 file header."""
    file.seek(0)
    head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"").lstrip()
    return _opens_file(head) is not None


def parse(file: BinaryIO) -> Iterator[Record]:
    """The accounts of all groups of all files that the file holds.

    Refuses records in an order that has no meaning and a file without its trailer.
    """
    if not is_bai2(file):
        raise ImportRefused("not_this_format", "no BAI2 file header (01)")
    reader = _Reader()
    for record in read_records(file):
        yield from reader.take(record)


class _Reader:
    """Turns BAI2 records into records; `_place` is the code of the innermost one that is open."""

    def __init__(self) -> None:
        self._place = ""
        self._file = _Level()
        self._group = _Level()
        self._account = Account("", "", None)
        self._statement_id = ""
        self._currency = ""
        self._day: date | None = None
        self._is_void = False

    def take(self, record: BaiRecord) -> Iterator[Record]:
        """The records that `record` completes."""
        code = record.code
        if CONTAINERS[code] != self._place:
            sentence = (
                f"record {code} of line {record.line_no} stands in {self._place or 'no file'}"
            )
            raise ImportRefused("malformed_bai2", sentence)
        fields = BaiFields(record)
        if code == "01":
            self._open_file(fields)
            self._file = _Level(records_count=record.count)
        elif code == "02":
            yield from self._open_group(record, fields)
        elif code == "03":
            yield from self._open_account(record, fields)
        elif code == "16":
            self._account.records_count += record.count
            yield self._detail(record)
        else:
            yield from self._close(record, fields)
        self._place = CLOSES.get(code, self._place if code == "16" else code)

    def _open_file(self, fields: BaiFields) -> None:
        sender, _receiver, day, time, number, _length, _block = (fields.take() for _ in range(7))
        version = fields.take()
        if version not in VERSIONS:
            raise ImportRefused("not_this_format", f"version {version[:40]!r} of BAI, not 2")
        self._statement_id = "-".join(filter(None, (sender, day, time, number)))

    def _open_group(self, record: BaiRecord, fields: BaiFields) -> Iterator[RejectedLine]:
        _receiver, _originator, status, day, _time, currency = (fields.take() for _ in range(6))
        self._is_void = status not in (*UPDATE_STATUS, CORRECTION_STATUS)
        if status not in UPDATE_STATUS:
            sentence = f"line {record.line_no} opens a group of status {status[:40]!r}, no update"
            yield RejectedLine(0, f"group_status: {sentence}", record.raw)
        self._group = _Level(records_count=record.count)
        self._currency = currency.upper() or DEFAULT_CURRENCY
        self._day = None
        try:
            self._day = read_bai_day(day, "as-of date")
        except Unreadable as problem:
            yield RejectedLine(0, str(problem), record.raw)

    def _open_account(self, record: BaiRecord, fields: BaiFields) -> Iterator[Record]:
        number = "".join(fields.take().split())
        currency = fields.take().upper() or self._currency
        account = self._account = Account(number, currency, self._day)
        account.records_count = record.count
        yield account.header(self._statement_id)
        try:
            account.take_summaries(fields)
        except Unreadable as problem:
            account.control_sum = None
            yield RejectedLine(0, str(problem), record.raw)

    def _detail(self, record: BaiRecord) -> Record:
        try:
            line = self._account.take_detail(record)
            if self._is_void:
                raise Unreadable("group_status", "its group is neither an update nor a correction")
            return line
        except Unreadable as problem:
            return RejectedLine(record.line_no, str(problem), record.raw)

    def _close(self, record: BaiRecord, fields: BaiFields) -> Iterator[Record]:
        if record.code == "49":
            account = self._account
            level = _Level(0, account.records_count, account.control_sum)
            yield from _check(record, fields, level)
            yield account.trailer()
            self._group.add(level)
        elif record.code == "98":
            yield from _check(record, fields, self._group)
            self._file.add(self._group)
        else:
            yield from _check(record, fields, self._file)


def _check(record: BaiRecord, fields: BaiFields, level: _Level) -> Iterator[RejectedLine]:
    """Compares a trailer with what it closes; counts the trailer in.

    From here on its own total counts, so that one wrong trailer is not reported three times.
    """
    level.records_count += record.count
    try:
        stated = read_minor_units(fields.take(), "control total")
    except Unreadable as problem:
        yield RejectedLine(0, str(problem), record.raw)
        stated = None
    if stated is not None:
        if level.control_sum not in (None, stated):
            sentence = f"line {record.line_no} says {stated}, it is {level.control_sum}"
            yield RejectedLine(0, f"wrong_control_total: {sentence}", record.raw)
        level.control_sum = stated
    counts = [("records", level.records_count)]
    if record.code != "49":
        counts.insert(0, ("accounts" if record.code == "98" else "groups", level.parts_count))
    for name, counted in counts:
        count = fields.take()
        if count and not (is_digits(count) and int(count[:9]) == counted):
            sentence = f"line {record.line_no} says {count[:40]} {name}, there are {counted}"
            yield RejectedLine(0, f"wrong_control_count: {sentence}", record.raw)
    if left := fields.rest().strip(", /"):
        sentence = f"{left[:40]!r} below the trailer of line {record.line_no}"
        yield RejectedLine(0, f"bad_trailer: {sentence}", record.raw)
