"""BAI2 as logical records: continuations (88) belong to the record above them (formats.md §3)."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from .csv_table import encoding_of, open_text
from .records import RAW_CHARS_MAX, ImportRefused
from .values import AMOUNT_CHARS_MAX, Unreadable

RECORD_CHARS_MAX = 1 << 20
# A text that fills its line without an end mark goes on in the next one, amid a word as a rule.
LINE_CHARS_FULL = 80

# How many fields follow a funds type; D is followed by a count of pairs.
FUNDS_FIELDS = {"": 0, "0": 0, "1": 0, "2": 0, "Z": 0, "V": 2, "S": 3}
DISTRIBUTIONS_MAX = 1000

_record_in = re.compile(r"\s*(01|02|03|16|49|88|98|99),").match
# Some banks write several records into one line. In a text, "/ 16,5 kg" is none.
_records_in = re.compile(
    r"/\s+(?=(?:01|02|03|88),|16,[0-9]{3},"
    r"|49,[+-]?[0-9]*,[0-9]*\s*(?:/|$)|9[89],[+-]?[0-9]*,[0-9]*,[0-9]*\s*(?:/|$))"
).split
_is_amount = re.compile(r"[+-]?[0-9]+").fullmatch
is_digits = re.compile(r"[0-9]+").fullmatch


@dataclass(slots=True)
class BaiRecord:
    """A record with its continuations: texts without code and end mark, in file order."""

    code: str
    line_no: int
    texts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # as they stand in the file
    count: int = 0  # what the control counts count: the record and its 88s

    @property
    def raw(self) -> str:
        return "".join(self.lines).rstrip("\r\n")[:RAW_CHARS_MAX]

    def keep(self, line: str, line_no: int) -> None:
        """Notes a line of the file, once."""
        if len(self.lines) <= line_no - self.line_no:
            self.lines.append(line)


def read_records(file: BinaryIO) -> Iterator[BaiRecord]:
    """Every record in file order. A line that is no record goes on with the text above it.

    Refuses a file without trailer (99) before its last record, which may have been cut off.
    """
    record: BaiRecord | None = None
    size = 0
    with open_text(file, encoding_of(file)) as text:
        for line_no, physical_line in enumerate(text, 1):
            line = physical_line.strip("\r\n\x1a\ufeff").rstrip()
            for piece in _records_in(line):
                found = _record_in(piece)
                size += len(piece) + 1
                if found is not None and found[1] != "88":
                    if record is not None:
                        yield record
                    record, size = BaiRecord(found[1], line_no), 0
                elif record is None:
                    if piece.strip():
                        raise ImportRefused("malformed_bai2", f"line {line_no} is no record")
                    continue
                elif size > RECORD_CHARS_MAX:
                    sentence = f"record {record.code} of line {record.line_no} does not end"
                    raise ImportRefused("record_too_large", sentence)
                record.count += found is not None
                record.keep(physical_line, line_no)
                if found is not None or piece.strip():
                    body = piece[found.end() :] if found is not None else piece
                    record.texts.append(_text_of(body, len(line)))
    if record is not None:
        if record.code != "99":
            sentence = f"the file ends with record {record.code} of line {record.line_no}"
            raise ImportRefused("truncated", sentence)
        yield record


def _text_of(body: str, line_length: int) -> str:
    text = body.removesuffix("/")
    return text if line_length == LINE_CHARS_FULL and text == body else text + " "


class BaiFields:
    """The fields of a record one by one, "" beyond its end; a continuation goes on with them."""

    def __init__(self, record: BaiRecord) -> None:
        self._texts = deque(record.texts)
        self._fields: deque[str] = deque()

    @property
    def is_read(self) -> bool:
        return not self._fields and not self._texts

    def take(self) -> str:
        """The next field, from the continuation if this line has no more."""
        if not self._fields and self._texts:
            self._fields.extend(self._texts.popleft().split(","))
        return self.take_here()

    def take_here(self) -> str:
        """The next field of this line."""
        return self._fields.popleft().strip() if self._fields else ""

    def take_funds(self) -> tuple[str, list[str]]:
        """A funds type and the fields that it brings; a continuation may be text instead."""
        if not self._fields and self._texts:
            ahead = self._texts[0].partition(",")[0].strip()
            if ahead not in FUNDS_FIELDS and ahead != "D":
                return "", []
        kind = self.take().upper()
        count = FUNDS_FIELDS.get(kind)
        if kind == "D":
            pairs = self.take()
            if not is_digits(pairs) or int(pairs[:9]) > DISTRIBUTIONS_MAX:
                raise Unreadable("bad_funds_type", f"D with {pairs[:40]!r} distributions")
            count = 2 * int(pairs)
        if count is None:
            raise Unreadable("bad_funds_type", f"{kind[:40]!r} is no funds type")
        return kind, [self.take() for _ in range(count)]

    def rest(self) -> str:
        """What is left, as one text: the commas in it are no separators."""
        text = ",".join(self._fields) + "".join(self._texts)
        self._fields.clear()
        self._texts.clear()
        return " ".join(text.split())


def read_minor_units(text: str, name: str) -> int | None:
    """The number of minor units that `text` is, None if it is empty: that is not zero."""
    if not text:
        return None
    if len(text) > AMOUNT_CHARS_MAX or not _is_amount(text):
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not a number of minor units")
    return int(text)
