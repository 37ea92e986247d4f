"""A mapped CSV file: where its rows begin and end, and what each of them is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO

from .csv_line import LineReader
from .csv_mapping import CsvMapping
from .csv_table import Row, Rows, encoding_of, key_of, open_text
from .records import ImportRefused, RejectedLine
from .values import Unreadable

FORMAT_NAME = "CSV"
# So far above the rows the column names are looked for.
PREAMBLE_ROWS_MAX = 200


class Kind(Enum):
    """What a row is; OUTSIDE is one that the mapping leaves out, or all below `stop_at`."""

    LINE = auto()
    CONTINUES = auto()
    PENDING = auto()
    OUTSIDE = auto()
    BAD = auto()


@dataclass(slots=True)
class Found:
    """A row; a LINE has one empty cell more than columns. `problem` is the reason of a BAD one."""

    kind: Kind
    line_no: int
    cells: list[str]
    raw: str
    problem: str = ""


class CsvFile:
    """A file and its mapping; may be read as often as one likes."""

    def __init__(self, file: BinaryIO, mapping: CsvMapping) -> None:
        self.mapping = mapping
        self._file = file
        self._encoding = encoding_of(file, mapping.encoding)

    @contextmanager
    def open(self) -> Iterator["CsvRows"]:
        """The rows, from the first one. Refuses a file without the columns that are named."""
        with open_text(self._file, self._encoding) as text:
            yield CsvRows(Rows(text, FORMAT_NAME), self.mapping)


class CsvRows:
    """The rows of one reading; iterate once. `preamble` holds those above the column names."""

    def __init__(self, rows: Rows, mapping: CsvMapping) -> None:
        self._rows = rows
        self._mapping = mapping
        self.preamble: list[list[str]] = []
        for _ in zip(range(mapping.skip_lines), rows.lines(), strict=False):
            pass
        self._unread: Iterator[Row | RejectedLine] = rows.read(mapping.dialect)
        names = self._find_names() if mapping.header else []
        self.has_names = bool(mapping.names)
        self._width = len(names)
        self.reader = LineReader(mapping, self._places(names))

    def __iter__(self) -> Iterator[Found]:
        """Every row, those that continue another one joined to it."""
        held: Found | None = None
        for found in self._classified():
            if found.kind is Kind.CONTINUES:
                problem = self._continue(held, found)
                if not problem:
                    continue
                found.kind, found.problem = Kind.BAD, problem
            if held is not None:
                yield held
            held = found
        if held is not None:
            yield held

    def _continue(self, held: Found | None, found: Found) -> str:
        """Joins a row to the one above; says why it cannot, else ""."""
        if held is None or held.kind is not Kind.LINE:
            return "bad_row: continues a line, and there is none above"
        try:
            self.reader.continue_text(held.cells, found.cells)
        except Unreadable as problem:
            return str(problem)
        return ""

    def _classified(self) -> Iterator[Found]:
        mapping, reader = self._mapping, self.reader
        is_below = False
        for row in self._unread:
            if isinstance(row, RejectedLine):
                yield Found(Kind.BAD, row.line_no, [], row.raw, row.reason)
                continue
            line_no, cells = row
            count = len(cells)
            cells += [""] * (max(self._width, mapping.last_place) + 1 - count)
            found = Found(Kind.LINE, line_no, cells, self._rows.raw())
            is_below = is_below or self._ends_lines(cells)
            if is_below or reader.meets(mapping.skip, cells):
                found.kind = Kind.OUTSIDE
            elif reader.meets(mapping.pending, cells) or not self._is_booked(cells):
                found.kind = Kind.PENDING
            elif reader.meets(mapping.continues, cells):
                found.kind = Kind.CONTINUES
            elif problem := self._misfit(cells, count):
                found.kind, found.problem = Kind.BAD, problem
            yield found

    def _ends_lines(self, cells: list[str]) -> bool:
        marks = self._mapping.stop_at
        first = (cell.strip().casefold() for cell in cells if cell.strip())
        return bool(marks) and next(first, "").startswith(marks)

    def _is_booked(self, cells: list[str]) -> bool:
        return not self._mapping.booked or self.reader.meets(self._mapping.booked, cells)

    def _misfit(self, cells: list[str], count: int) -> str:
        """Why a row of `count` cells does not fit the others, else ""; cuts what pads it.

        An unquoted delimiter in a text shifts what follows: such a row must not be read.
        """
        if not self._width:
            self._width = count
        width = max(self._width, self._mapping.last_place)
        is_short = count < self._width and not self._mapping.ragged_rows
        if is_short or any(cells[width:]):
            return f"bad_row: {count} cells where there are {self._width} columns"
        cells[width:] = [""]
        return ""

    def _find_names(self) -> list[str]:
        wanted = {key_of(name): name for name in self._mapping.names}
        nearest = list(wanted.values())
        for row in self._unread:
            if isinstance(row, RejectedLine):
                continue
            cells = row[1]
            names = {key_of(cell) for cell in cells}
            missing = [name for key, name in wanted.items() if key not in names]
            if not missing and len(cells) >= self._mapping.last_place:
                return _without_padding(cells)
            nearest = min(nearest, missing, key=len)
            self.preamble.append(cells)
            if len(self.preamble) > PREAMBLE_ROWS_MAX:
                break
        sentence = ", ".join(map(repr, nearest)) or f"column {self._mapping.last_place}"
        raise ImportRefused("missing_column", f"{FORMAT_NAME}: no row of names with {sentence}")

    def _places(self, names: list[str]) -> Mapping[str, int]:
        places: dict[str, int] = {}
        wanted = {key_of(name) for name in self._mapping.names}
        for place, name in enumerate(map(key_of, names)):
            if places.setdefault(name, place) != place and name in wanted:
                sentence = f"{FORMAT_NAME}: {name!r} twice; map it by its number"
                raise ImportRefused("duplicate_column", sentence)
        return places


def _without_padding(cells: list[str]) -> list[str]:
    """The names up to the last one that is not empty."""
    return cells[: max(place for place, cell in enumerate(cells, start=1) if cell.strip())]
