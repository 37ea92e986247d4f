"""Real files, read in place, against what was counted in them by other means.

`TIEOUT_CORPUS` names the folder of the corpus (its `facts.json` holds counts and sums by an XML
tree walk and a plain CSV reader), `TIEOUT_DAYS` that of the business days. Without them: skipped.
"""

import csv
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)

FOLDERS = {"camt053": "camt.053", "camt052": "camt.052", "camt054": "camt.054"}
# API dumps and an event-level report that lie among the processors' files.
OTHER_REPORTS = ("balance_transaction", "payout_data", "payments_accounting", "balance_history")
BROKEN = ("not well-formed", "malformed", "truncated", "broken", "doctype")


def folder(variable: str) -> Path:
    name = os.environ.get(variable, "")
    if not name:
        pytest.skip(f"{variable} is not set: the real files were not read")
    return Path(name)


def facts(*folders: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    corpus = folder("TIEOUT_CORPUS")
    for fact in json.loads((corpus / "facts.json").read_text()):
        if fact["file"].partition("/")[0] in folders:
            yield corpus / fact["file"], fact


def read(path: Path, code: str) -> list[Record]:
    with path.open("rb") as file:
        assert recognise(file) == code
        return list(FORMATS[code](file))


def lines_of(found: list[Record]) -> list[ParsedLine]:
    assert not [record for record in found if isinstance(record, RejectedLine)]
    return [record for record in found if isinstance(record, ParsedLine)]


def amounts(text: str) -> list[Decimal]:
    return [] if text == "–" else [Decimal(amount) for amount in text.split(", ")]


def test_every_camt_file_reads_as_counted() -> None:
    read_count = refused_count = 0
    for path, fact in facts(*FOLDERS):
        if any(word in (fact["special"] or "").lower() for word in BROKEN):
            with pytest.raises(ImportRefused):
                read(path, FOLDERS[path.parent.name])
            refused_count += 1
            continue
        found = read(path, FOLDERS[path.parent.name])
        lines = lines_of(found)
        trailers = [record for record in found if isinstance(record, StatementTrailer)]
        seen = {
            "entries": len(lines),
            "credit_sum": sum(line.net for line in lines if line.net > 0),
            "debit_sum": -sum(line.net for line in lines if line.net < 0),
            "opening": [each.opening for each in trailers if each.opening is not None],
            "closing": [each.closing for each in trailers if each.closing is not None],
            "currencies": ",".join(sorted({line.currency for line in lines})),
        }
        assert seen == {
            "entries": fact["entries"],
            "credit_sum": Decimal(fact["credit_sum"]),
            "debit_sum": Decimal(fact["debit_sum"]),
            "opening": amounts(fact["opening"]),
            "closing": amounts(fact["closing"]),
            "currencies": fact["currencies"],
        }, path.name
        if fact["adds_up"] == "yes":
            assert_adds_up(found)
        read_count += 1
    print(f"\ncamt: {read_count} files as counted, {refused_count} refused")
    assert read_count


def assert_adds_up(found: list[Record]) -> None:
    """Opening + Σ net = closing, for each statement."""
    running = Decimal(0)
    for record in found:
        if isinstance(record, StatementHeader):
            running = Decimal(0)
        elif isinstance(record, ParsedLine):
            running += record.net
        elif isinstance(record, StatementTrailer):
            assert record.opening is not None
            assert record.opening + running == record.closing


def test_every_processor_report_reads_as_counted_or_is_no_such_report() -> None:
    read_names, refused_names = [], []
    for path, fact in facts("psp-stripe", "psp-adyen"):
        if any(word in path.name for word in OTHER_REPORTS):
            with path.open("rb") as file, pytest.raises(ImportRefused, match="unknown_format"):
                recognise(file)
            refused_names.append(path.name)
            continue
        with path.open("rb") as file:
            found = list(FORMATS[recognise(file)](file))
        lines = lines_of(found)
        assert len(lines) == fact["entries"], path.name
        assert_column_sums(path, lines)
        read_names.append(path.name)
    print(f"\nprocessor reports: {len(read_names)} as counted, refused: {refused_names}")


def column_sum(rows: list[dict[str, str]], *names: str) -> Decimal:
    return sum((Decimal(row.get(name) or 0) for row in rows for name in names), Decimal(0))


def assert_column_sums(path: Path, lines: list[ParsedLine]) -> None:
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig", newline="")))
    net = sum(line.net for line in lines)
    fee = sum(line.fee for line in lines)
    if "net" in rows[0]:
        assert (net, fee) == (column_sum(rows, "net"), column_sum(rows, "fee"))
        return
    assert net == column_sum(rows, "Net Credit (NC)") - column_sum(rows, "Net Debit (NC)")
    names = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
    assert fee == column_sum(rows, *names)


def test_the_reports_of_the_days_pay_out_what_they_settle() -> None:
    files = lines_count = 0
    for path in sorted(folder("TIEOUT_DAYS").glob("*/psp_*.csv")):
        code = "stripe.payout_reconciliation" if "spay" in path.name else "adyen.settlement_detail"
        lines = lines_of(read(path, code))
        assert len(lines) == sum(1 for _ in path.open()) - 1
        assert_column_sums(path, lines)
        by_payout: dict[str, Decimal] = defaultdict(Decimal)
        for line in lines:
            assert line.payout_id, line
            assert line.gross - line.fee == line.net
            by_payout[line.payout_id] += line.net
        assert set(by_payout.values()) == {Decimal(0)}, path
        files, lines_count = files + 1, lines_count + len(lines)
    print(f"\ndays: {files} reports, {lines_count} lines, every payout is the sum of its lines")


def test_the_bank_statements_of_the_days_equal_their_csv() -> None:
    files = lines_count = 0
    for path in sorted(folder("TIEOUT_DAYS").glob("*/bank*.camt053.xml")):
        found = read(path, "camt.053")
        assert_adds_up(found)
        account = ""
        seen = []
        for record in found:
            if isinstance(record, StatementHeader):
                account = record.account
            elif isinstance(record, ParsedLine):
                seen.append((account, record.external_id, record.net, record.currency))
        sibling = Path(str(path).replace(".camt053.xml", ".csv"))
        rows = csv.DictReader(sibling.open(encoding="cp1252", newline=""), delimiter=";")
        expected = [
            (row["Konto"], row["Referenz"], _comma(row["Betrag"]), row["Währung"]) for row in rows
        ]
        assert sorted(seen) == sorted(expected), path
        files, lines_count = files + 1, lines_count + len(seen)
    print(f"\ndays: {files} bank statements, {lines_count} entries, equal to their CSV")


def _comma(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))
