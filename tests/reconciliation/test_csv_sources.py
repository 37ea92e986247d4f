"""A source that sends CSV by its mapping, from its configuration to the stored lines."""

import io
from datetime import date
from pathlib import Path

import pytest

from config.configuration import load_configuration
from reconciliation.errors import FileRefused
from reconciliation.models import Source, Statement, StatementFile, StatementLine
from reconciliation.previews import preview_statement
from reconciliation.selectors import latest_day
from reconciliation.services.imports import import_statement
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import receive_statement
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
def test_day_that_neither_a_line_nor_the_name_tells_is_asked_for(bank: Source, name: str) -> None:
    with pytest.raises(FileRefused, match="send it again under a name with one day in it"):
        load(bank, NAMES.encode(), name)

    assert StatementFile.objects.get().refusal_code == "empty_without_day"
    assert not Statement.objects.exists()

    file = load(bank, NAMES.encode(), "bank_2026-03-25.csv")

    assert (file.status, file.empty_day) == ("LOADED", date(2026, 3, 25))
    assert Statement.objects.filter(file=file).count() == 3


def test_days_without_a_line_are_files_of_their_own_though_they_are_the_same_bytes(
    bank: Source,
) -> None:
    days = ["2026-03-25", "2026-03-26", "2026-03-27"]
    for day in days:
        load(bank, NAMES.encode(), f"bank_{day}.csv")
    again, is_known = import_statement(
        bank, io.BytesIO(NAMES.encode()), name="20260326.csv", actor=ACTOR
    )

    assert (is_known, again.name) == (True, "bank_2026-03-26.csv")
    assert StatementFile.objects.count() == 3
    euro = Statement.objects.filter(source_account__currency="EUR").order_by("first_day")
    assert [str(each.first_day) for each in euro] == days
    assert len(set(StatementFile.objects.values_list("sha256", flat=True))) == 1


def test_days_without_a_line_that_wait_together_are_all_loaded(bank: Source) -> None:
    for day in ("2026-03-25", "2026-03-26"):
        receive_statement(
            bank, io.BytesIO(NAMES.encode()), name=f"{day}.csv", channel="api", actor=ACTOR
        )
    while load_statements():
        pass

    assert Statement.objects.count() == 6
    assert latest_day() == date(2026, 3, 26)


def test_file_with_lines_is_one_file_whatever_day_its_name_has(bank: Source) -> None:
    content = (NAMES + ROWS[0]).encode("cp1252")
    file = load(bank, content, "2026-03-25.csv")

    assert load(bank, content, "2026-03-26.csv") == file
    assert file.empty_day is None


def test_what_is_shown_of_an_empty_day_before_it_is_sent_is_about_that_day(bank: Source) -> None:
    known = load(bank, NAMES.encode(), "2026-03-25.csv")

    same = preview_statement(bank, io.BytesIO(NAMES.encode()), name="2026-03-25.csv")
    other = preview_statement(bank, io.BytesIO(NAMES.encode()), name="2026-03-26.csv")

    assert (same.known, other.known) == (known, None)
