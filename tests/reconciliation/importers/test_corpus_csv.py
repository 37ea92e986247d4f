"""Real CSV exports of banks, each read by the mapping that a user of that bank would write.

`TIEOUT_CORPUS` and `TIEOUT_DAYS` name the folders, as in test_corpus.py. A file of a bank whose
mapping is not in bank_mappings.py is named and not read.
"""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciliation.importers import (
    FORMATS,
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from reconciliation.importers.csv_proposal import propose
from reconciliation.importers.toml_text import as_toml
from tests.reconciliation.importers.bank_mappings import MAPPINGS, mapping
from tests.reconciliation.importers.test_corpus import facts, folder

# What facts.json counts as an entry and is none, beside rows that are pending.
OTHER_ROWS = {
    "MS_JANE_SMITH": 1,  # the names of the columns
    "TransactionHistory_": 8,  # the second rows of texts
    "test_raiffeisen": 1,  # "A null transaction, just to confuse things"
    "vtb": 2,  # a table above the rows, and the names of the columns
}
PENDING_ROWS = {"MS_JANE_SMITH": 3, "vtb": 1}
# Files whose printed balances do not follow from their rows, by the line that shows it.
BROKEN_BALANCES = {"W80844_EBH": 3, "two_money_columns": 4}
# Without column names nothing was summed up for facts.json; these were added up by hand.
NETS = {
    "MS_JANE_SMITH": "-285.80",
    "TransactionHistory_": "-173.28",
    "W80844_EBH": "940",
    "austrian_example": "-149.57",
    "chase": "6922.11",
    "debit_credit": "1500.00",  # the marks rule, its signs contradict them
    "easybank-giro": "-1562.86",
    "french_example": "-337.44",
    "german_date_example": "-548.51",
    "intuit_mint": "-688.96",
    "inversed_credit_card": "187.01",
    "nationwide": "360.23",
    "test_raiffeisen": "-4580.70",
    "two_money_columns": "-548.51",
    "vtb": "-919.63",
}
BALANCES = {
    "2021-october": ("415.52", "580.83"),
    "TransactionHistory_": (None, "6666.66"),
    "W80844_EBH": ("-234.44", "2345.56"),
    "__balance": ("10.00", "1510.00"),
    "debit_credit": ("10.00", "1510.00"),
    "german_date_example": ("2298.57", "1750.06"),
    "nationwide": ("0.00", "360.23"),
    "sample_split_amounts": ("1000.00", "2050.25"),
    "two_money_columns": ("1210.02", "1750.06"),
    "vtb": (None, "82604.01"),
}


def read(path: Path, options: dict[str, Any]) -> list[Record]:
    with path.open("rb") as file:
        assert recognise(file, ["camt.053", "csv"], {"csv": options}) == "csv"
        return list(FORMATS["csv"](file, options))


def test_every_bank_csv_reads_as_counted() -> None:
    read_count, unmapped = 0, []
    for path, fact in facts("bankcsv"):
        keys = [key for key in MAPPINGS if key in path.name]
        if not keys:
            unmapped.append(path.name)
            continue
        [key] = keys
        options = mapping(MAPPINGS[key])
        found = read(path, options)

        lines = [record for record in found if isinstance(record, ParsedLine)]
        rejected = [record for record in found if isinstance(record, RejectedLine)]
        pending = [record for record in rejected if record.reason.startswith(NOT_BOOKED)]
        assert len(pending) == PENDING_ROWS.get(key, 0), path.name
        rows = len(lines) + len(pending) + OTHER_ROWS.get(key, 0)
        assert rows == fact["entries"], path.name
        broken = [record.reason for record in rejected if record not in pending]
        expected = [f"line {BROKEN_BALANCES[key]}:"] if key in BROKEN_BALANCES else []
        assert len(broken) == len(expected), (path.name, broken)
        assert all(line in reason for line, reason in zip(expected, broken, strict=True))
        assert_sums(path.name, key, options, lines, fact["column_sums"])
        assert_balances(path.name, key, found)
        currencies = {line.currency for line in lines} | {
            line.presentment_currency for line in lines if line.presentment_currency
        }
        if fact["currencies"]:
            assert ",".join(sorted(currencies)) == fact["currencies"], path.name
        read_count += 1
    print(f"\nbank CSV: {read_count} files as counted, without a mapping of ours: {unmapped}")
    assert read_count


def test_every_bank_csv_gets_a_proposal_that_can_be_read_or_none() -> None:
    read_count, refused = 0, []
    for path, _ in facts("bankcsv"):
        with path.open("rb") as file:
            try:
                proposed = propose(file).mapping
            except ImportRefused:
                refused.append(path.name)
                continue
            assert tomllib.loads("\n".join(as_toml(proposed, "csv")))["csv"] == proposed
            found = list(FORMATS["csv"](file, proposed))
        assert any(isinstance(record, ParsedLine) for record in found), path.name
        read_count += 1
    print(f"\nbank CSV: {read_count} files with a proposal, none for {refused}")
    assert read_count


def assert_sums(
    name: str, key: str, options: dict[str, Any], lines: list[ParsedLine], column_sums: str
) -> None:
    """Each summed column that is mapped has the sum of its lines; else the net is as in NETS."""
    sums = {
        column: Decimal(total)
        for column, total in re.findall(r"([^;]+?)=(-?[\d.]+) \(\d+\)(?:; )?", column_sums)
    }
    columns = options["columns"]
    nets = [line.net for line in lines]
    seen = {
        "credit": sum(net for net in nets if net > 0),
        "debit": -sum(net for net in nets if net < 0),
        "amount": sum(nets) * (-1 if options.get("inverted") else 1),
    }
    if "direction" in options:
        seen["amount"] = sum(map(abs, nets))
    if key in NETS:
        assert sum(nets) == Decimal(NETS[key]), name
        return
    checked = [role for role in seen if columns.get(role) in sums]
    assert checked, name
    for role in checked:
        assert seen[role] == sums[columns[role]], (name, role)


def assert_balances(name: str, key: str, found: list[Record]) -> None:
    """As printed; and opening + Σ lines = closing, unless the file contradicts itself."""
    trailers = [record for record in found if isinstance(record, StatementTrailer)]
    expected = BALANCES.get(key, (None, None))
    for trailer in trailers:
        assert (trailer.opening, trailer.closing) == tuple(
            None if text is None else Decimal(text) for text in expected
        ), name
    if None not in expected:
        [trailer] = trailers
        net = sum(record.net for record in found if isinstance(record, ParsedLine))
        assert (trailer.opening + net == trailer.closing) == (key not in BROKEN_BALANCES), name


def test_the_csv_of_the_days_tells_what_their_camt_tells() -> None:
    days = folder("TIEOUT_DAYS")
    example = tomllib.loads(Path("docs/examples/days.toml").read_text())
    [options] = [source["csv"] for source in example["sources"] if source["code"] == "bank"]
    files = lines_count = 0
    for path in sorted(days.glob("*/bank*.csv")):
        with path.with_suffix("").with_suffix(".camt053.xml").open("rb") as file:
            camt = told_by(list(FORMATS["camt.053"](file)))
        csv = told_by(read(path, options))

        # An account without a movement is not in the CSV.
        moved = {account: told for account, told in camt.items() if told[0]}
        assert csv == moved, path
        files, lines_count = files + 1, lines_count + sum(len(told[0]) for told in csv.values())
    print(f"\ndays: {files} bank CSVs, {lines_count} lines, equal to their camt.053")
    assert files


def told_by(found: list[Record]) -> dict[tuple[str, str], tuple[list[tuple[Any, ...]], Any, Any]]:
    """Per account and currency: the lines, the opening and the closing balance."""
    told: dict[tuple[str, str], tuple[list[tuple[Any, ...]], Any, Any]] = {}
    account, lines = ("", ""), []
    for record in found:
        match record:
            case StatementHeader():
                account, lines = (record.account, record.currency), []
            case ParsedLine():
                said = (record.booked_on, record.value_on, record.net, record.external_id)
                lines.append((*said, record.counterparty, record.text))
            case StatementTrailer():
                told[account] = (lines, record.opening, record.closing)
            case _:
                raise AssertionError(record)
    return told
