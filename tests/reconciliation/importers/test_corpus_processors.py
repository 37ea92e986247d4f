"""Real files of processors and real OFX, against what was counted in them by other means.

Sums are of a plain CSV reader, column by column; nothing here knows the parsers' tables.
"""

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from reconciliation.importers import (
    FORMATS,
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.test_corpus import amounts, facts

FOLDERS = ("psp-stripe", "psp-adyen", "psp-paypal", "psp-other")
# Orders of a day that the file may leave open; what is counted is the same in all of them.
DATE_FORMATS = ("M/D/YYYY", "D/M/YYYY")

Rows = list[dict[str, str]]


def table(path: Path) -> Rows:
    text = path.read_text(encoding="utf-8-sig")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
    return [{(name or "").strip(): cell for name, cell in row.items()} for row in rows]


def total(rows: Rows, *names: str) -> Decimal:
    cells = (row.get(name) or "0" for row in rows for name in names)
    return sum((Decimal(re.sub(r"(?<=\d),(?=\d{3})", "", cell)) for cell in cells), Decimal(0))


def records(path: Path, *kinds: str) -> list[list[str]]:
    rows = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
    return [row for row in rows if row and row[0] in kinds]


def of_table(*net: str, minus: tuple[str, ...] = (), unit: str = "1") -> Callable[..., Any]:
    """Number of rows, and net: these columns less those, in units of the currency."""
    return lambda path: (
        len(rows := table(path)),
        (total(rows, *net) - total(rows, *minus)) * Decimal(unit),
    )


def of_paypal_records(path: Path) -> tuple[int, Decimal]:
    rows = records(path, "SB")
    sign = {"CR": 1, "DR": -1, "": 0}
    net = sum(sign[row[8]] * int(row[9]) + sign[row[11]] * int(row[12] or 0) for row in rows)
    return len(rows), Decimal(net) / 100


def of_trustly(path: Path) -> tuple[int, Decimal]:
    transactions, items, paid = (records(path, kind) for kind in "TIF")
    signed = [
        Decimal(row[14]) * (-1 if "Ref" in row[10] or "Ret" in row[10] else 1)
        for row in transactions
    ]
    signed += [Decimal(row[15]) + Decimal(row[22] or 0) for row in items]
    signed += [-Decimal(row[5]) for row in paid]
    return len(signed), sum(signed, Decimal(0))


def of_dlocal(path: Path) -> tuple[int, Decimal]:
    rows = [row for row in csv.reader(path.read_text().splitlines()) if row]
    names: list[str] = []
    net, count = Decimal(0), 0
    for row in rows:
        if row[0] == "ROW_TYPE":
            names = row
            continue
        said = dict(zip(names, row, strict=False))
        net += Decimal(said.get("NET_AMOUNT") or 0) - Decimal(said.get("NET_TOTAL_AMOUNT") or 0)
        count += 1
    return count, net


COUNTED: dict[str, Callable[[Path], tuple[int, Decimal]]] = {
    "stripe.payout_reconciliation": of_table("net"),
    "stripe.balance_history": of_table("Net"),
    "stripe.balance_transactions": of_table("net", unit="0.01"),
    "stripe.payouts": of_table(minus=("Amount",)),
    "stripe.payout_objects": of_table(minus=("amount",), unit="0.01"),
    "adyen.settlement_detail": of_table("Net Credit (NC)", minus=("Net Debit (NC)",)),
    "adyen.payments_accounting": of_table("Payable (SC)"),
    "paypal.settlement": of_paypal_records,
    "paypal.transactions": of_paypal_records,
    "paypal.activity": of_table("Net"),
    "checkout.settlement_breakdown": of_table("Net In Holding Currency"),
    "checkout.payouts": of_table(minus=("Payout Amount",)),
    "dlocal.settlement": of_dlocal,
    "trustly.settlement": of_trustly,
    "trustly.transactions": of_trustly,
}


def test_every_file_of_a_processor_is_read_as_counted_or_refused_with_a_reason() -> None:
    read_count, refused = 0, []
    for path, fact in facts(*FOLDERS):
        code, refusal = done(path, recognise)
        if refusal is not None:
            assert refusal.code == "unknown_format", path.name
            assert not refusal.message.startswith("none of"), path.name
            refused.append(f"{path.name}: {refusal.message}")
            continue
        for options in options_for(path, code):
            assert_as_counted(path, code, options, fact)
        read_count += 1
    print(f"\nprocessors: {read_count} files as counted; refused:", *refused, sep="\n  ")
    assert read_count


def done(path: Path, action: Callable[[BinaryIO], Any]) -> tuple[Any, ImportRefused | None]:
    """What `action` makes of the file, or why it is refused."""
    with path.open("rb") as file:
        try:
            return action(file), None
        except ImportRefused as refusal:
            return None, refusal


def options_for(path: Path, code: str) -> list[dict[str, str]]:
    """None, or all readings of a file that must not be read without being told."""
    _, refusal = done(path, lambda file: list(FORMATS[code](file, {})))
    if refusal is None:
        return [{}]
    assert refusal.code == "ambiguous_dates", path.name
    return [{"date_format": each} for each in DATE_FORMATS]


def assert_as_counted(path: Path, code: str, options: dict[str, str], fact: dict[str, Any]) -> None:
    with path.open("rb") as file:
        found = list(FORMATS[code](file, options))
    lines = [record for record in found if isinstance(record, ParsedLine)]
    bad = [record for record in found if isinstance(record, RejectedLine) and record.line_no]
    assert all(each.reason.startswith(NOT_BOOKED) for each in bad), (path.name, bad)
    entries, net = COUNTED[code](path)
    assert len(lines) + len(bad) == entries, path.name
    if code not in ("paypal.settlement", "dlocal.settlement") and "trustly" not in code:
        # In files of several kinds of rows, facts.json counts all of them.
        assert entries == fact["entries"], path.name
    if not bad:
        assert sum((line.net for line in lines), Decimal(0)) == net, path.name
    assert all(line.gross - line.fee == line.net for line in lines)


def test_totals_that_contradict_the_rows_are_said() -> None:
    """By hand: three fixtures that people cut, with the footers left as they were."""
    contradicting = []
    for path, _ in facts("psp-paypal"):
        if not records(path, "SF", "RF"):
            continue
        with path.open("rb") as file:
            found = list(FORMATS["paypal.settlement"](file, {}))
        stated: dict[str, int] = {}
        for row in records(path, "SF", "RF"):
            credit, debit, fee_credit, fee_debit = map(int, row[2:6])
            stated[row[1]] = credit - debit + fee_credit - fee_debit
        moved = dict.fromkeys(stated, Decimal(0))
        for record in found:
            if isinstance(record, ParsedLine):
                moved[record.currency] += record.net * 100
        said = {
            each.reason.split()[6]
            for each in found
            if isinstance(each, RejectedLine) and each.reason.startswith("wrong_control_total")
        }
        assert said == {currency for currency in stated if stated[currency] != moved[currency]}
        contradicting += [f"{path.name} {currency}" for currency in said]
    print(f"\nPayPal footers against their rows: {contradicting or 'all agree'}")


def test_every_ofx_file_reads_as_counted() -> None:
    read_count, refused, rejected = 0, [], []
    for path, fact in facts("ofx"):
        assert done(path, recognise) == ("ofx", None), path.name
        found, refusal = done(path, lambda file: list(FORMATS["ofx"](file, {})))
        if refusal is not None:
            # An answer without any statement, in which there is nothing to count.
            assert (refusal.code, fact["entries"]) == ("no_statements", 0), path.name
            refused.append(path.name)
            continue
        lines = [record for record in found if isinstance(record, ParsedLine)]
        bad = [
            record
            for record in found
            if isinstance(record, RejectedLine)
            and record.line_no
            and not record.reason.startswith("investment")
        ]
        assert len(lines) + len(bad) == fact["entries"], path.name
        if bad:
            rejected += [f"{path.name}: {each.reason}" for each in bad]
        else:
            assert sum(line.net for line in lines if line.net > 0) == Decimal(fact["credit_sum"])
            assert -sum(line.net for line in lines if line.net < 0) == Decimal(fact["debit_sum"])
        closing = [each.closing for each in found if isinstance(each, StatementTrailer)]
        texts = re.sub(r"(?<=\d),(?=\d)", ".", fact["closing"])
        assert [each for each in closing if each is not None] == amounts(texts or "–"), path.name
        if fact["currencies"] and lines:
            assert {line.currency for line in lines} == set(fact["currencies"].split(","))
        read_count += 1
    print(f"\nOFX: {read_count} files as counted, without statement: {refused}; {rejected}")
    assert read_count
