"""Discrepancies and matches as rows, and rows as CSV, XLSX or JSON files."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path

from openpyxl import Workbook

from ledger.money import Money
from ledger.spreadsheets import as_text
from reconciliation.discrepancy_guide import (
    age_bucket,
    age_days,
    original_day,
    suggested_action,
)
from reconciliation.models import (
    Discrepancy,
    Match,
    ReconciliationRun,
    StatementLine,
)
from reconciliation.open_amounts import open_amounts_of
from reconciliation.selectors import open_discrepancies

FORMATS = ("csv", "xlsx", "json")
DISCREPANCY_COLUMNS = (
    "type",
    "reference",
    "amount",
    "currency",
    "source",
    "age_days",
    "age_bucket",
    "original_on",
    "since",
    "expected",
    "actual",
    "open_amount",
    "open_currency",
    "action_code",
    "suggested_action",
    "status",
    "id",
    "run",
    # What people fill in; `import_resolutions` reads it back.
    "owner",
    "action",
    "reason_code",
    "resolution",
)
MATCH_COLUMNS = (
    "kind",
    "reference",
    "payment_id",
    "settlement_line_id",
    "bank_entry_id",
    "rule",
    "rule_version",
    "amount",
    "currency",
    "source",
    "run",
)
NUMBER_COLUMNS = {"amount", "age_days", "open_amount", "rule_version"}
ROWS_AT_ONCE = 1_000

Row = dict[str, str | int]


def discrepancy_rows(*, run: ReconciliationRun | None, as_of: date) -> Iterator[Row]:
    """Open discrepancies, or those one run opened; ages are days up to `as_of`.

    What is open on several accounts, in several currencies, is listed in `open_amount` one after
    the other.
    """
    rows = open_discrepancies()
    if run is not None:
        rows = Discrepancy.objects.filter(opened_by=run)
    rows = rows.select_related(
        *("source", "opened_by", "owner", "payment", "refund", "dispute", "payout"),
        "processor_payout__line",
    ).order_by("type", "reference", "pk")
    for chunk in _batched(rows.iterator(chunk_size=ROWS_AT_ONCE), ROWS_AT_ONCE):
        effects = open_amounts_of(chunk)
        for row in chunk:
            yield _discrepancy_row(row, [each.effect for each in effects.get(row.pk, [])], as_of)


def _discrepancy_row(row: Discrepancy, effects: list[Money], as_of: date) -> Row:
    age = age_days(row, as_of=as_of)
    action = suggested_action(row)
    return {
        "type": row.type,
        "reference": row.reference,
        "amount": row.money.text if row.currency != "XXX" else "",
        "currency": row.currency,
        "source": row.source.code,
        "age_days": age,
        "age_bucket": age_bucket(age),
        "original_on": original_day(row).isoformat(),
        "since": row.since.isoformat(),
        "expected": readable(row.expected),
        "actual": readable(row.actual),
        "open_amount": " ".join(effect.text for effect in effects),
        "open_currency": " ".join(effect.currency for effect in effects),
        "action_code": action.code,
        "suggested_action": action.text,
        "status": row.status,
        "id": row.public_id,
        "run": row.opened_by.public_id,
        "owner": row.owner.get_username() if row.owner else "",
        "action": "",
        "reason_code": row.reason_code,
        "resolution": row.resolution,
    }


def match_rows(*, run: ReconciliationRun | None) -> Iterator[Row]:
    """One row per match, of one run or of all."""
    matches = Match.objects.select_related(
        "run",
        "payment",
        "refund",
        "dispute__payment",
        "won_dispute__payment",
        "processor_payout",
        "payout",
        "line__source_account__source",
    ).order_by("pk")
    if run is not None:
        matches = matches.filter(run=run)
    for match in matches.iterator(chunk_size=2_000):
        line = match.line
        name = line.external_id or line.public_id
        is_bank = line.kind == StatementLine.Kind.ENTRY
        yield {
            "kind": match.kind,
            "reference": _reference(match),
            "payment_id": _payment_id(match),
            "settlement_line_id": "" if is_bank else name,
            "bank_entry_id": name if is_bank else "",
            "rule": match.rule,
            "rule_version": match.rule_version,
            "amount": Money(match.amount, line.currency).text,
            "currency": line.currency,
            "source": line.source_account.source.code,
            "run": match.run.public_id,
        }


def write(rows: Iterable[Row], columns: tuple[str, ...], path: Path, file_format: str) -> int:
    """Write the rows to a file in one of FORMATS; returns how many there were."""
    if file_format == "csv":
        return _write_csv(rows, columns, path)
    if file_format == "xlsx":
        return _write_xlsx(rows, columns, path)
    listed = list(rows)
    path.write_text(json.dumps(listed, indent=1))
    return len(listed)


def readable(figure: str) -> str:
    """A figure as findings keep it ("1234 EUR", minor units) in major units; else the text."""
    amount, _, currency = figure.partition(" ")
    if amount.lstrip("-").isdecimal() and len(currency) == 3 and currency.isupper():
        return str(Money(int(amount), currency))
    return figure


def _batched(rows: Iterable[Discrepancy], size: int) -> Iterator[list[Discrepancy]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _reference(match: Match) -> str:
    if match.payment:
        return match.payment.reference
    if match.refund:
        return match.refund.reference
    if dispute := match.dispute or match.won_dispute:
        return dispute.payment.reference
    if match.processor_payout:
        return match.processor_payout.external_id
    return match.payout.public_id if match.payout else ""


def _payment_id(match: Match) -> str:
    if match.payment:
        return match.payment.public_id
    if match.refund:
        return match.refund.public_id
    dispute = match.dispute or match.won_dispute
    return dispute.public_id if dispute else ""


def _write_csv(rows: Iterable[Row], columns: tuple[str, ...], path: Path) -> int:
    with path.open("w", newline="", encoding="utf-8") as file:
        return _append_all(csv.writer(file).writerow, rows, columns)


def _write_xlsx(rows: Iterable[Row], columns: tuple[str, ...], path: Path) -> int:
    workbook = Workbook(write_only=True)
    count = _append_all(workbook.create_sheet().append, rows, columns)
    workbook.save(path)
    return count


def _append_all(
    append: Callable[[Iterable[str | int]], object], rows: Iterable[Row], columns: tuple[str, ...]
) -> int:
    append(columns)
    count = 0
    for row in rows:
        append([_cell(column, row[column]) for column in columns])
        count += 1
    return count


def _cell(column: str, value: str | int) -> str | int:
    is_number = column in NUMBER_COLUMNS and " " not in str(value)  # several are a text
    is_text = isinstance(value, str) and not is_number
    return as_text(str(value)) if is_text else value
