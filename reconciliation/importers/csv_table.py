"""A CSV file as rows, a report's columns found by name: encodings, quoting, line numbers (R5.8).

Streams; the file must be seekable because its encoding is proved on the whole of it first.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from .records import RAW_CHARS_MAX, ImportRefused, RejectedLine
from .values import Unreadable

CHUNK_BYTES = 1 << 20
DELIMITERS = ",;\t|"

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The line's number and its cells.
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells stand in a line. `quote` and `escape` are "" where there is no such character."""

    delimiter: str
    quote: str = '"'
    escape: str = ""


class Rows:
    """The rows of a text with the numbers of their lines, from 1."""

    def __init__(self, text: Iterator[str], format_name: str) -> None:
        self._text = text
        self._format_name = format_name
        self._line_no = 0
        self._lines: list[str] = []

    def lines(self) -> Iterator[str]:
        """The physical lines that are not read yet."""
        for line in self._text:
            self._line_no += 1
            self._lines.append(line)
            yield line

    def read(self, dialect: Dialect) -> Iterator[Row | RejectedLine]:
        """Every row that is not read yet; one of empty cells alone holds nothing and is left out.

        A row that is not closed within its line is rejected; one that swallows lines refuses the
        file.
        """
        reader = csv.reader(self.lines(), **_settings(dialect))
        while True:
            line_no = self._line_no + 1
            self._lines.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._reject_or_refuse(line_no, error)
                continue
            if any(cells):
                yield line_no, cells

    def reject(self, line_no: int, problem: Unreadable) -> RejectedLine:
        """The row that `read` has just handed out, as it stands in the file."""
        return RejectedLine(line_no, str(problem), self.raw())

    def raw(self) -> str:
        """What the row that `read` has just handed out looks like in the file."""
        return "".join(self._lines).rstrip("\r\n")[:RAW_CHARS_MAX]

    def _reject_or_refuse(self, line_no: int, error: csv.Error) -> RejectedLine:
        if self._line_no == line_no:
            return self.reject(line_no, Unreadable("bad_row", str(error)))
        # An open quote has swallowed lines: where the next row begins is anyone's guess.
        sentence = f"{self._format_name}, line {line_no}: {error}"
        raise ImportRefused("malformed_csv", sentence) from error


def _settings(dialect: Dialect) -> dict[str, Any]:
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quote or None,
        "quoting": csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        "escapechar": dialect.escape or None,
        "strict": True,
    }


class Table:
    """A report's column names and, once, its rows."""

    def __init__(self, text: Iterator[str], format_name: str) -> None:
        self._rows = Rows(text, format_name)
        self._format_name = format_name
        first = next((line for line in self._rows.lines() if line.strip()), "")
        self._dialect = Dialect(max(DELIMITERS, key=first.count))
        names = self._names_in(first)
        self._places = self._places_of_names(names)
        self._width = len(names)

    def at(self, *alternatives: str) -> int:
        """Place of the first of these columns that there is; without any, of an empty cell."""
        places = (self._places.get(name.casefold(), -1) for name in alternatives)
        return next((place for place in places if place >= 0), -1)

    def require(self, *alternatives: str) -> int:
        """As `at`; refuses a report that has none of them."""
        place = self.at(*alternatives)
        if place < 0:
            wanted = " or ".join(repr(name) for name in alternatives)
            raise ImportRefused("missing_column", f"{self._format_name}: no column {wanted}")
        return place

    def places_of(self, prefix: str) -> list[int]:
        """Places of all columns whose name begins with `prefix`."""
        prefix = prefix.casefold()
        return [place for name, place in self._places.items() if name.startswith(prefix)]

    def rows(self) -> Iterator[Row | RejectedLine]:
        """Every row below the header, with one empty cell more than columns: the absent ones'."""
        width = self._width
        for row in self._rows.read(self._dialect):
            if isinstance(row, RejectedLine):
                yield row
                continue
            line_no, cells = row
            if len(cells) == width or (len(cells) > width and not any(cells[width:])):
                cells[width:] = [""]
                yield line_no, cells
            else:
                sentence = f"{len(cells)} cells under {width} column names"
                yield self.reject(line_no, Unreadable("bad_row", sentence))

    def reject(self, line_no: int, problem: Unreadable) -> RejectedLine:
        """The row that `rows` has just handed out, as it stands in the file."""
        return self._rows.reject(line_no, problem)

    def _names_in(self, header: str) -> list[str]:
        try:
            return next(csv.reader([header], **_settings(self._dialect)), [])
        except csv.Error as error:
            sentence = f"{self._format_name}, column names: {error}"
            raise ImportRefused("malformed_csv", sentence) from error

    def _places_of_names(self, names: list[str]) -> dict[str, int]:
        places: dict[str, int] = {}
        for place, name in enumerate(names):
            key = key_of(name)
            if key in places:
                raise ImportRefused("duplicate_column", f"{self._format_name}: {name!r} twice")
            if key:
                places[key] = place
        return places


def key_of(name: str) -> str:
    """What tells a column name from others: letter case and the width of blanks do not."""
    return " ".join(name.split()).casefold()


@contextmanager
def open_table(file: BinaryIO, format_name: str) -> Iterator[Table]:
    """The table in `file`, from its beginning; `file` stays open. `format_name` is for refusals."""
    with open_text(file, encoding_of(file)) as text:
        yield Table(text, format_name)


@contextmanager
def open_text(file: BinaryIO, encoding: str) -> Iterator[io.TextIOWrapper]:
    """The lines of `file`, from its beginning, with their ends as they are; `file` stays open."""
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield text
    finally:
        text.detach()


def encoding_of(file: BinaryIO, declared: str = "cp1252") -> str:
    """The encoding in which the whole file reads: as its mark says, else UTF-8, else `declared`.

    Text that reads as UTF-8 is hardly ever anything else, whatever was declared; only the wide
    encodings are taken at their word. Refuses NUL characters and lines without end, which no
    report has and no reader survives.
    """
    file.seek(0)
    head = file.read(4)
    marked = [encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)][:1]
    is_wide = declared.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
    for encoding in marked or ([declared] if is_wide else ["utf-8", declared]):
        if _reads_as(file, encoding):
            return encoding
    wanted = marked[0] if marked else declared
    raise ImportRefused("undecodable", f"the file is neither UTF-8 nor {wanted} text")


def _reads_as(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    while True:
        chunk = file.read(CHUNK_BYTES)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError:
            return False
        if "\0" in text:
            raise ImportRefused("nul_character", f"NUL character in a {encoding} text")
        if len(chunk) == CHUNK_BYTES and "\n" not in text and "\r" not in text:
            raise ImportRefused("line_too_long", f"a line of more than {CHUNK_BYTES} bytes")
        if not chunk:
            return True
