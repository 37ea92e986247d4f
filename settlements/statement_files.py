"""A settlement statement as CSV, XLSX and a page that prints."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.template.loader import render_to_string
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ledger.money import Money, exponent_of
from ledger.spreadsheets import as_text
from settlements.models import SettlementBatch
from settlements.statements import SettlementStatement, StatementLine

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}
COLUMNS = (
    "kind",
    "id",
    "reference",
    "effective_at",
    "gross",
    "fee",
    "net",
    "balance",
    "currency",
)
# More would not print; the other formats have them all.
LINES_PRINTED_MAX = 1_000

# A row's texts and amounts, one for each column.
Row = tuple[str | Money, ...]


def rendered(statement: SettlementStatement, format: str) -> Iterator[bytes]:
    """The file in pieces, in one of CONTENT_TYPES."""
    if format == "csv":
        yield from _csv(statement)
    elif format == "xlsx":
        yield _xlsx(statement)
    else:
        yield html(statement).encode()


def file_name(batch: SettlementBatch, format: str) -> str:
    return f"settlement-{batch.period}-{batch.currency}-{batch.public_id}.{format}"


def html(statement: SettlementStatement) -> str:
    lines = list(islice(statement.lines(), LINES_PRINTED_MAX))
    payout = statement.latest_payout
    return render_to_string(
        "settlements/statement.html",
        {
            "statement": statement,
            "batch": statement.batch,
            "payout": payout,
            "account": payout and payout.bank_account,
            "lines": lines,
            "unprinted": statement.batch.line_count - len(lines),
        },
    )


def _csv(statement: SettlementStatement) -> Iterator[bytes]:
    """A row per line between the opening and the closing balance, in UTF-8 with CRLF (RFC 4180)."""
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)
    writer.writerow(COLUMNS)
    for row in _rows(statement):
        writer.writerow(cell.text if isinstance(cell, Money) else as_text(cell) for cell in row)
        if piece.tell() > 1 << 16:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()


def _xlsx(statement: SettlementStatement) -> bytes:
    """A sheet with the sections and one with the lines; amounts are numbers."""
    book = Workbook(write_only=True)
    summary = book.create_sheet("Statement")
    for row in _summary_rows(statement):
        summary.append(_cells(summary, row))
    lines = book.create_sheet("Lines")
    lines.append(COLUMNS)
    for row in _rows(statement):
        lines.append(_cells(lines, row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cells(sheet: Any, row: Iterable[str | Money]) -> list[Any]:
    return [_amount(sheet, each) if isinstance(each, Money) else as_text(each) for each in row]


def _amount(sheet: Any, money: Money) -> Any:
    exponent = exponent_of(money.currency)
    cell = WriteOnlyCell(sheet, value=money.decimal)
    cell.number_format = "#,##0" + ("." + "0" * exponent if exponent else "")
    return cell


def _summary_rows(statement: SettlementStatement) -> Iterator[Row]:
    batch = statement.batch
    yield ("Merchant", batch.merchant.name)
    yield ("Settlement", batch.public_id)
    yield ("Business day", batch.period.isoformat())
    yield ("Currency", batch.currency)
    yield ("Opening balance", statement.opening)
    for section in statement.sections:
        yield (section.label, section.amount, str(section.lines))
    yield ("Payout", -statement.payout)
    yield ("Closing balance", statement.closing)


def _rows(statement: SettlementStatement) -> Iterator[Row]:
    batch, payout = statement.batch, statement.latest_payout
    none = ("", "", "", "", "", "")
    yield ("opening_balance", *none, statement.opening, batch.currency)
    for line in statement.lines():
        yield _line_row(line)
    if payout is not None:
        left = "" if payout.sent_at is None else payout.sent_at.isoformat()
        yield (
            *("payout", payout.public_id, payout.status, left, "", ""),
            *(-statement.payout, statement.closing, batch.currency),
        )
    yield ("closing_balance", *none, statement.closing, batch.currency)


def _line_row(line: StatementLine) -> Row:
    at = "" if line.effective_at is None else line.effective_at.isoformat()
    return (
        *(line.kind, line.id, line.reference, at),
        *(line.gross, line.fee, line.net, line.balance, line.net.currency),
    )
