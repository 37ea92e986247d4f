"""Tie-out reports as CSV, XLSX, JSON and a page that prints."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from ledger.money import exponent_of
from ledger.spreadsheets import as_text
from reconciliation.report_sections import Report
from reconciliation.reports import canonical

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}
FORMATS = tuple(CONTENT_TYPES)
COLUMNS = (
    "source",
    "account",
    "date",
    "known_at",
    "section",
    "name",
    "type",
    "since",
    "age_days",
    "count",
    "currency",
    "debits",
    "credits",
    "opening",
    "closing",
    "amount",
)
AMOUNTS = {"debits", "credits", "opening", "closing", "amount"}

Row = dict[str, str | int]


def rendered(reports: list[Report], file_format: str) -> bytes:
    """One file with these reports, in one of FORMATS."""
    if file_format == "csv":
        return _csv(reports)
    if file_format == "xlsx":
        return _xlsx(reports)
    if file_format == "html":
        return html(reports).encode()
    return canonical(reports).encode()


def html(
    reports: list[Report], *, content_hash: str = "", people: Mapping[str, str] | None = None
) -> str:
    """A page that needs nothing from anywhere else; each report begins on a sheet of its own.

    Of a sign-off with the hash of its content and who did what.
    """
    return render_to_string(
        "reconciliation/tie_out.html",
        {"reports": reports, "content_hash": content_hash, "people": people or {}},
    )


def _csv(reports: list[Report]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _all_rows(reports):
        writer.writerow([_cell(column, row.get(column, "")) for column in COLUMNS])
    return text.getvalue().encode()


def _xlsx(reports: list[Report]) -> bytes:
    """One sheet to filter; amounts are numbers."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Tie-out")
    sheet.append(COLUMNS)
    for row in _all_rows(reports):
        sheet.append([_xlsx_cell(sheet, column, row) for column in COLUMNS])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(column: str, value: str | int) -> str | int:
    return as_text(value) if isinstance(value, str) and column not in AMOUNTS else value


def _xlsx_cell(sheet: Any, column: str, row: Row) -> Any:
    value = row.get(column, "")
    if column not in AMOUNTS or value == "":
        return _cell(column, value)
    exponent = exponent_of(str(row["currency"]))
    cell = WriteOnlyCell(sheet, value=Decimal(value))
    cell.number_format = "#,##0" + ("." + "0" * exponent if exponent else "")
    return cell


def _all_rows(reports: list[Report]) -> Iterator[Row]:
    for report in reports:
        common: Row = {
            "source": report["source"],
            "account": report["account"],
            "date": report["day"],
            "known_at": report["known_at"],
            "currency": report["currency"],
        }
        for row in _rows(report):
            yield {**common, **row}


def _rows(report: Report) -> Iterator[Row]:
    for name in ("book", "statement", "open", "difference"):
        yield {"section": "tie_out", "name": name, "amount": report[name]}
    for item in report["open_items"]:
        yield {
            "section": "open_item",
            "name": item["name"],
            "type": " ".join(item["types"]),
            "since": item["since"],
            "age_days": item["age_days"],
            "amount": item["effect"],
        }
    yield from _trial_balance_rows(report["trial_balance"])
    yield from _control_rows(report["control_totals"])
    yield from _roll_forward_rows(report["roll_forward"]["types"])
    for ledger in report["sub_ledgers"]:
        yield from _sub_ledger_rows(ledger)


def _trial_balance_rows(balance: Report) -> Iterator[Row]:
    for row in balance["accounts"]:
        yield {
            "section": "trial_balance",
            "name": row["account"],
            "count": row["accounts"],
            "debits": row["debits"],
            "credits": row["credits"],
        }
    yield {
        "section": "trial_balance_total",
        "name": "all accounts",
        "debits": balance["debits"],
        "credits": balance["credits"],
    }


def _control_rows(totals: Report) -> Iterator[Row]:
    lines = totals["lines"]
    yield {
        "section": "control_total",
        "name": "lines of the day",
        "count": lines["count"],
        "debits": lines["debits"],
        "credits": lines["credits"],
        "amount": lines["net"],
    }
    for each in totals["statements"]:
        yield {
            "section": "control_total",
            "name": f"{each['file']} {each['identifier']}".strip(),
            "type": "statement",
            "since": each["first_day"],
            "count": each["lines"],
            "opening": each["opening"],
            "closing": each["closing"],
            "amount": each["net"],
        }


def _roll_forward_rows(types: Iterable[Report]) -> Iterator[Row]:
    for row in types:
        for step in ("opening", "new", "resolved", "closing"):
            yield {
                "section": "roll_forward",
                "name": step,
                "type": row["type"],
                "currency": row["currency"],
                "count": row[step]["count"],
                "amount": row[step]["amount"],
            }


def _sub_ledger_rows(ledger: Report) -> Iterator[Row]:
    for item in ledger["items"]:
        yield {
            "section": "in_transit",
            "name": item["name"],
            "type": ledger["account"],
            "since": item["since"],
            "amount": item["amount"],
        }
    yield {
        "section": "in_transit_balance",
        "name": ledger["account"],
        "count": len(ledger["items"]),
        "closing": ledger["balance"],
        "amount": ledger["sum"],
    }
