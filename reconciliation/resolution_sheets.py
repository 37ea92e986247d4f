"""Tables of open discrepancies as people send them back, CSV or XLSX."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from ledger.spreadsheets import as_text
from reconciliation.errors import SheetUnreadable

BYTES_MAX = 16 * 2**20
UNPACKED_BYTES_MAX = 256 * 2**20
ROWS_MAX = 50_000
CELL_CHARS_MAX = 1_000
FILLED_IN = ("owner", "action", "reason_code", "resolution")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What somebody filled in about one discrepancy; empty: nothing. `number`: as people count."""

    number: int
    id: str
    owner: str = ""
    action: str = ""
    reason_code: str = ""
    resolution: str = ""


def read_sheet(content: bytes) -> list[SheetRow]:
    """The rows of a file that `export_discrepancies` wrote and people filled in.

    CSV in UTF-8 with commas or semicolons, or the first sheet of an XLSX; columns in any order, of
    which others than `id` and FILLED_IN are not looked at. Raises SheetUnreadable.
    """
    if len(content) > BYTES_MAX:
        raise SheetUnreadable(f"it is larger than {BYTES_MAX // 2**20} MB")
    cells = _xlsx(content) if content.startswith(b"PK") else _csv(content)
    try:
        rows = [[_text(cell) for cell in row] for row in islice(cells, ROWS_MAX + 2)]
    except (csv.Error, ValueError, KeyError, SyntaxError, OSError, zipfile.BadZipFile) as problem:
        raise SheetUnreadable(str(problem)[:200]) from problem
    if len(rows) > ROWS_MAX + 1:
        raise SheetUnreadable(f"it has more than {ROWS_MAX} rows")
    names = rows[0] if rows else []
    places = {name: place for place, name in enumerate(names) if name in ("id", *FILLED_IN)}
    if "id" not in places or len(places) < 2:
        raise SheetUnreadable(f"its first row does not name id and any of {', '.join(FILLED_IN)}")
    return [
        SheetRow(number, **{name: _at(row, place) for name, place in places.items()})
        for number, row in enumerate(rows[1:], start=2)
        if any(row)
    ]


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetUnreadable("it is no UTF-8; save it as CSV UTF-8 or as XLSX") from None
    first_line = text.partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _xlsx(content: bytes) -> Iterator[Iterable[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > UNPACKED_BYTES_MAX:
            raise SheetUnreadable(f"it unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MB")
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as problem:
        raise SheetUnreadable("it is no XLSX") from problem
    if not workbook.worksheets:
        raise SheetUnreadable("it has no sheet")
    return iter(workbook.worksheets[0].iter_rows(values_only=True))


def _text(cell: object) -> str:
    """What stands in a cell, without the mark that kept a spreadsheet from running it."""
    text = "" if cell is None else str(cell).strip()
    if len(text) > CELL_CHARS_MAX:
        raise SheetUnreadable(f"a cell has more than {CELL_CHARS_MAX} characters")
    is_marked = text.startswith("'") and as_text(text[1:]) == text
    return text[1:] if is_marked else text


def _at(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""
