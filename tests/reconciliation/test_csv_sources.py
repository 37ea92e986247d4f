"""A source that sends CSV by its mapping, from its configuration to the stored lines."""

import io
from pathlib import Path

import pytest

from config.configuration import load_configuration
from reconciliation.errors import FileRefused
from reconciliation.models import Source, Statement, StatementFile, StatementLine
from reconciliation.services.imports import import_statement
from tests.reconciliation.importers.test_corpus import folder
from tests.support.reports import ACTOR

pytestmark = pytest.mark.django_db

EXAMPLE = Path("docs/examples/days.toml").read_text()
NAMES = (
    "Konto;Buchungstag;Valuta;Beguenstigter/Zahlungspflichtiger;Verwendungszweck;Betrag;Währung;"
    "Saldo;Referenz\r\n"
)
ROWS = (
    "DE89370400440532013000;19.03.2026;20.03.2026;ADYN N.V.;TX1;1.761,11;EUR;11.884,56;B1\r\n",
    "DE51370400440532013102;19.03.2026;19.03.2026;Müller;Miete;-5,00;GBP;-4,00;B2\r\n",
    "DE89370400440532013000;20.03.2026;20.03.2026;ADYN N.V.;TX2;-0,56;EUR;11.884,00;B3\r\n",
)


@pytest.fixture
def bank() -> Source:
    load_configuration(EXAMPLE)
    return Source.objects.get(code="bank")


def load(bank: Source, content: bytes, name: str = "bank.csv") -> StatementFile:
    file, _ = import_statement(bank, io.BytesIO(content), name=name, actor=ACTOR)
    return file


def test_each_account_of_a_csv_gets_its_lines_and_balances(bank: Source) -> None:
    file = load(bank, (NAMES + "".join(ROWS)).encode("cp1252"))

    assert (file.format, file.line_count, file.rejected_count) == ("csv", 3, 0)
    statements = Statement.objects.order_by("source_account__currency").values_list(
        "source_account__currency", "opening_balance", "closing_balance", "line_count", "net"
    )
    assert list(statements) == [
        ("EUR", 1_012_345, 1_188_400, 2, 176_055),
        ("GBP", 100, -400, 1, -500),
    ]


def test_lines_of_another_csv_are_known(bank: Source) -> None:
    load(bank, (NAMES + ROWS[0]).encode("cp1252"))

    file = load(bank, (NAMES + ROWS[0] + ROWS[2]).encode("utf-8"))

    assert (file.line_count, file.known_count) == (2, 1)
    assert StatementLine.objects.count() == 2


def test_a_csv_without_the_columns_of_the_mapping_is_refused(bank: Source) -> None:
    with pytest.raises(FileRefused, match=r"none of camt\.053, mt940, csv"):
        load(bank, NAMES.replace("Betrag", "Umsatz").encode("cp1252"))

    assert not StatementLine.objects.exists()


def test_the_csv_of_the_days_brings_nothing_that_their_camt_did_not(bank: Source) -> None:
    day = folder("TIEOUT_DAYS") / "clean-300"
    camt = load(bank, (day / "bank.camt053.xml").read_bytes(), "bank.xml")

    file = load(bank, (day / "bank.csv").read_bytes())

    assert (file.format, file.known_count) == ("csv", file.line_count)
    assert StatementLine.objects.count() == camt.line_count == file.line_count


@pytest.mark.parametrize("name", ["bank_2026-03-25.csv", "20260325 umsatz.csv"])
def test_day_without_a_line_is_told_by_the_name_of_its_file(bank: Source, name: str) -> None:
    file = load(bank, NAMES.encode(), name)

    told = Statement.objects.filter(file=file)
    assert sorted(told.values_list("source_account__currency", flat=True)) == ["EUR", "GBP", "USD"]
    assert {(str(each.first_day), str(each.last_day)) for each in told} == {("2026-03-25",) * 2}
    assert {(each.closing_balance, each.line_count) for each in told} == {(None, 0)}


@pytest.mark.parametrize("name", ["bank.csv", "2026-03-24_2026-03-25.csv", "2026-13-25.csv"])
def test_name_without_one_day_tells_nothing(bank: Source, name: str) -> None:
    file = load(bank, NAMES.encode(), name)

    assert not Statement.objects.filter(file=file).exists()
