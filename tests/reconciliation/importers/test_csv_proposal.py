"""Proposals for CSV mappings: what is told by the file, and what is asked."""

import io
import tomllib
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from reconciliation.importers import ImportRefused
from reconciliation.importers.csv_proposal import Proposal, propose

GERMAN = (
    "Kontoauszug;vom;20.03.2026;;;;\n"
    "IBAN;Buchungstag;Valuta;Empfänger;Verwendungszweck;Betrag;Saldo;Währung\n"
    "DE89370400440532013000;19.03.2026;20.03.2026;Ada;Miete;-1.234,56;8.765,44;EUR\n"
    "DE89370400440532013000;18.03.2026;18.03.2026;Bob;Lohn;3.500,00;10.000,00;EUR\n"
)


def proposal(text: str) -> Proposal:
    return propose(io.BytesIO(text.encode()))


def test_a_file_that_tells_all_leaves_no_question() -> None:
    found = proposal(GERMAN)

    assert found.questions == []
    assert found.mapping == {
        "delimiter": ";",
        "date_format": "DD.MM.YYYY",
        "order": "newest_first",
        "decimal": ",",
        "thousands": ".",
        "columns": {
            "booked_on": "Buchungstag",
            "value_on": "Valuta",
            "amount": "Betrag",
            "balance": "Saldo",
            "currency": "Währung",
            "account": "IBAN",
            "counterparty": "Empfänger",
            "text": ["Verwendungszweck"],
        },
    }


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Date,Amount\n03/04/2026,-1.50\n", "date_format: DD/MM/YYYY or MM/DD/YYYY?"),
        ("Date,Amount\n2026-03-19,-1.50\nPending,-2.50\n", "are rows with 'Pending' for a day"),
        ('Date,Amount\n2026-03-19,"-1,234"\n', "decimal, thousands: no amount"),
        ("Date,Amount\n2026-03-19,1.50\n", "direction: every amount is without a sign"),
        ("Date,Amount,Rate\n2026-03-19,-1.50,2.50\n", "which of 'Amount', 'Rate' is the amount"),
        ("2026-03-19,1.50,\n2026-03-19,,2.50\n", "which of the two is which"),
        ("Date,Amount\n2026-03-19,-1.50\n", "currency: no column tells it"),
        ("Date,Amount\n2026-03-19,-1.50\n", "account: no column tells whose"),
    ],
)
def test_what_the_file_cannot_tell_is_asked(text: str, question: str) -> None:
    assert [asked for asked in proposal(text).questions if question in asked]


def test_a_day_above_twelve_decides_the_order_of_day_and_month() -> None:
    found = proposal("Date,Amount\n03/04/2026,-1.50\n03/14/2026,-1.50\n")

    assert found.mapping["date_format"] == "MM/DD/YYYY"


@pytest.mark.parametrize(
    ("cells", "credit", "debit"),
    [(("Af", "Bij"), ["Bij"], ["Af"]), (("CR", ""), ["CR"], [""]), (("S", "H"), ["H"], ["S"])],
)
def test_direction_marks_are_found(
    cells: tuple[str, str], credit: list[str], debit: list[str]
) -> None:
    rows = "".join(f"2026-03-19,1.50,{cell}\n" for cell in cells)

    found = proposal(f"Date,Amount,Sign\n{rows}").mapping
    assert found["direction"] == {"column": "Sign", "credit": credit, "debit": debit}


@pytest.mark.parametrize("text", ["", "hello\n", "a,b\n2026-03-19,x\n", "a,b\n1.50,x\n"])
def test_what_is_no_table_of_days_and_amounts_gets_no_proposal(text: str) -> None:
    with pytest.raises(ImportRefused, match="no_rows"):
        proposal(text)


def test_the_command_prints_toml_with_its_questions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bank.csv"
    file.write_text(GERMAN.replace(";EUR", ";"))

    call_command("propose_csv_mapping", str(file))

    text = capsys.readouterr().out
    assert text.startswith("# A proposal: check it. Lines: 2, rejected: 0.\n")
    assert "# To decide: currency: no column tells it\n" in text
    assert tomllib.loads(text)["sources"]["csv"]["currency"] == "XXX"
    file.write_text("hello")
    with pytest.raises(CommandError, match=r"bank\.csv: no_rows"):
        call_command("propose_csv_mapping", str(file))
