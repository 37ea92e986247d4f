"""Tables as files: CSV, and XLSX with amounts as numbers."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ledger.money import Money, exponent_of
from ledger.spreadsheets import as_text

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def download(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[object]], file_format: str
) -> HttpResponseBase:
    """The rows under their columns, in one of FORMATS. No text in it can run as a formula."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{file_format}"'}
    content_type = FORMATS[file_format]
    if file_format == "csv":
        lines = _csv_lines(columns, rows)
        return StreamingHttpResponse(lines, content_type=content_type, headers=headers)
    return HttpResponse(_xlsx(columns, rows), content_type=content_type, headers=headers)


def _csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([value.text if isinstance(value, Money) else _cell(value) for value in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(columns)
    for row in rows:
        sheet.append([_xlsx_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> Any:
    if not isinstance(value, Money):
        return _cell(value)
    exponent = exponent_of(value.currency)
    cell = WriteOnlyCell(sheet, value=value.decimal)
    cell.number_format = "#,##0" + ("." + "0" * exponent if exponent else "")
    return cell


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return as_text(value) if isinstance(value, str) else value
