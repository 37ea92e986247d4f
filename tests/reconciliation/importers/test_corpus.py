"""Real files, read in place, against what was counted in them by other means.

`TIEOUT_CORPUS` names the folder of the corpus (its `facts.json` holds counts and sums by an XML
tree walk and a plain CSV reader), `TIEOUT_DAYS` that of the business days. Without them: skipped.
"""

import csv
import json
import os
import re
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


def statement_facts(found: list[Record], unit: Decimal) -> dict[str, Any]:
    """What facts.json says of a bank's file, in `unit`s of the currency."""
    lines = [record for record in found if isinstance(record, ParsedLine)]
    trailers = [record for record in found if isinstance(record, StatementTrailer)]
    currencies = {record.currency for record in found if isinstance(record, StatementHeader)}
    return {
        "entries": len(lines),
        "credit_sum": sum(line.net for line in lines if line.net > 0) / unit,
        "debit_sum": -sum(line.net for line in lines if line.net < 0) / unit,
        "opening": [each.opening / unit for each in trailers if each.opening is not None],
        "closing": [each.closing / unit for each in trailers if each.closing is not None],
        "currencies": ",".join(sorted(currencies)),
    }


def assert_as_counted(found: list[Record], fact: dict[str, Any], unit: Decimal) -> None:
    seen = statement_facts(found, unit)
    assert seen["entries"] == fact["entries"], fact["file"]
    assert seen["credit_sum"] == Decimal(fact["credit_sum"]), fact["file"]
    assert seen["debit_sum"] == Decimal(fact["debit_sum"]), fact["file"]
    if fact["currencies"] not in ("", "(none given)"):
        assert seen["currencies"] == fact["currencies"], fact["file"]
    for name in ("opening", "closing"):
        texts = fact[name].removesuffix(" …").split(", ")
        wanted = [Decimal(text) for text in texts if text not in ("", "–")]
        # Of many balances, facts.json lists the first three or four.
        assert seen[name][: len(wanted)] == wanted, fact["file"]
        assert len(seen[name]) == len(wanted) or len(wanted) >= 3, fact["file"]


def adding_up(found: list[Record]) -> str:
    """How many statements' balances agree with their lines, in the words of facts.json."""
    running, agreeing, with_balances = Decimal(0), 0, 0
    for record in found:
        if isinstance(record, StatementHeader):
            running = Decimal(0)
        elif isinstance(record, ParsedLine):
            running += record.net
        elif isinstance(record, StatementTrailer) and None not in (record.opening, record.closing):
            with_balances += 1
            agreeing += record.opening + running == record.closing
    if not with_balances:
        return ""
    return "yes" if agreeing == with_balances else f"NO ({agreeing}/{with_balances} statements)"


def test_every_swift_file_reads_as_counted() -> None:
    read_count = 0
    unreadable = []
    for path, fact in facts("mt940", "mt942"):
        found = read(path, path.parent.name)
        rejected = [each for each in found if isinstance(each, RejectedLine) and each.line_no]
        read_count += 1
        if rejected:
            # Anonymised to impossible days: each entry is there, as a rejected line.
            assert {line.reason.partition(":")[0] for line in rejected} == {"bad_date"}, path.name
            assert fact["cross_check"].startswith("lib error"), path.name
            assert statement_facts(found, Decimal(1))["entries"] + len(rejected) == fact["entries"]
            unreadable.append(path.name)
            continue
        assert_as_counted(found, fact, Decimal(1))
        assert adding_up(found) == fact["adds_up"], path.name
    print(f"\nSWIFT: {read_count} files as counted, with impossible days: {unreadable}")
    assert read_count


def test_every_bai2_file_reads_as_counted() -> None:
    read_count = 0
    for path, fact in facts("bai2"):
        found = read(path, "bai2")
        assert not [each for each in found if isinstance(each, RejectedLine) and each.line_no]
        # The samples are in currencies of two decimals, facts.json counts minor units.
        assert_as_counted(found, fact, Decimal("0.01"))
        reasons = [each.reason for each in found if isinstance(each, RejectedLine)]
        has_controls = set(fact["adds_up"].removeprefix("controls: ").split(",")) == {"ok"}
        is_wrong = any(reason.startswith("wrong_control_total") for reason in reasons)
        assert has_controls != is_wrong, path.name
        read_count += 1
    print(f"\nBAI2: {read_count} files as counted, control totals too")
    assert read_count


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


def test_the_mt940_of_the_days_say_what_their_camt_says() -> None:
    files = lines_count = 0
    for path in sorted(folder("TIEOUT_DAYS").glob("*/bank*.mt940.sta")):
        twin = Path(str(path).replace(".mt940.sta", ".camt053.xml"))
        ours, theirs = read(path, "mt940"), read(twin, "camt.053")
        assert_adds_up(ours)
        assert _frames(ours) == _frames(theirs), path
        pairs = list(zip(_by_id(ours), _by_id(theirs), strict=True))
        for (account, line), (twin_account, twin_line) in pairs:
            assert (account, _said(line)) == (twin_account, _said(twin_line)), path
            findable = _normalised(line.reference, *line.references, line.text)
            for reference in (twin_line.reference, *twin_line.references):
                assert _normalised(reference) in findable, (path, reference)
            assert _normalised(twin_line.text) in findable, (path, twin_line.text)
            assert _normalised(line.counterparty) == _normalised(twin_line.counterparty)
        files, lines_count = files + 1, lines_count + len(pairs)
    print(f"\ndays: {files} MT940 files, {lines_count} entries, equal to their camt.053")
    assert files


def _frames(found: list[Record]) -> list[tuple[Any, ...]]:
    headers = [record for record in found if isinstance(record, StatementHeader)]
    trailers = [record for record in found if isinstance(record, StatementTrailer)]
    pairs = zip(headers, trailers, strict=True)
    return sorted((each.account, each.currency, last.opening, last.closing) for each, last in pairs)


def _by_id(found: list[Record]) -> list[tuple[str, ParsedLine]]:
    account, lines = "", []
    for record in found:
        assert not isinstance(record, RejectedLine)
        if isinstance(record, StatementHeader):
            account = record.account
        elif isinstance(record, ParsedLine):
            lines.append((account, record))
    return sorted(lines, key=lambda pair: (pair[0], pair[1].external_id, pair[1].line_no))


def _said(line: ParsedLine) -> tuple[Any, ...]:
    return line.external_id, line.booked_on, line.value_on, line.currency, line.net


def _normalised(*texts: str) -> str:
    """What an id is compared by: MT940 has no underscore."""
    return "|".join(re.sub("[^A-Z0-9]", "", text.upper()) for text in texts)


def _comma(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))
