"""The settlement statement: its figures are the ledger's, in every format."""

import csv
import io
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from ledger.actors import Actor
from ledger.models import Account, Posting
from ledger.money import Money
from payments.models import Merchant
from settlements.models import Payout, SettlementBatch
from settlements.services.batches import run_settlement
from settlements.services.payouts import Refusal, mark_rejected
from settlements.statement_files import COLUMNS, CONTENT_TYPES, html, rendered
from settlements.statements import SECTIONS, settlement_statement
from tests.factories import (
    ApiKeyFactory,
    DisputeFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import Api, assert_problem
from tests.support.payouts import MAKER, sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SYSTEM = Actor.system("settlement")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Käse <b>& Söhne</b>")


@pytest.fixture
def batches(shop: Merchant) -> list[SettlementBatch]:
    """A day that loses 60.00 after 96.80 were paid out, and one that earns 140.45 and a dispute."""
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    day = payment.effective_at.date()
    run_settlement(day, actor=SYSTEM)
    SucceededRefundFactory(payment=payment, money=eur("60.00"))
    run_settlement(day + timedelta(days=1), actor=SYSTEM)
    SucceededPaymentFactory(merchant=shop, money=eur("200.00"))
    other = SucceededPaymentFactory(merchant=shop, money=eur("50.00"))
    DisputeFactory(payment=other, money=eur("40.00"))
    run_settlement(day + timedelta(days=2), actor=SYSTEM)
    return list(SettlementBatch.objects.select_related("merchant").order_by("period"))


def booked(batch: SettlementBatch) -> dict[str, int]:
    """What moved the merchant's payable about the batch and its lines, by kind of entry."""
    payable = Account.objects.get(code=f"merchant:shop:payable:{batch.currency}")
    subjects = [line.id for line in settlement_statement(batch).lines()]
    moved: Counter[str] = Counter()
    postings = Posting.objects.filter(
        account=payable, entry__reference__in=[*subjects, batch.public_id]
    )
    for posting in postings.select_related("entry"):
        sign = 1 if posting.direction == "credit" else -1
        moved[posting.entry.kind] += sign * posting.amount
    return moved


def test_figures_of_a_statement_are_those_of_the_ledger(batches: list[SettlementBatch]) -> None:
    running = 0
    for batch in batches:
        statement = settlement_statement(batch)
        moved = booked(batch)
        sections = {section.kind: section.amount.amount for section in statement.sections}

        assert statement.opening.amount == running
        assert (
            sections.get("payment", 0)
            + sections.get("fee", 0)
            + sections.get("dispute", 0)
            + sections.get("refund", 0)
            == sum(moved.values()) - moved["settlement"]
        )
        assert sections.get("refund", 0) == moved["refund"]
        assert -statement.payout.amount == moved["settlement"]
        running += sum(moved.values())
        assert statement.closing.amount == running

    assert [settlement_statement(batch).closing.text for batch in batches] == [
        "0.00",
        "-60.00",
        "0.00",
    ]
    payable = Account.objects.get(code="merchant:shop:payable:EUR")
    assert payable.balance.money.amount == running


def test_sections_say_what_the_day_was(batches: list[SettlementBatch]) -> None:
    statement = settlement_statement(batches[2])

    assert [(each.label, each.lines, each.amount.text) for each in statement.sections] == [
        ("Payments", 2, "250.00"),
        ("Disputes", 1, "-40.00"),
        ("Fees", 2, "-7.85"),
    ]
    assert [
        each.text
        for each in (statement.opening, statement.total, statement.payout, statement.closing)
    ] == ["-60.00", "202.15", "142.15", "0.00"]


def test_lines_lead_from_the_opening_balance_to_the_payout(batches: list[SettlementBatch]) -> None:
    statement = settlement_statement(batches[2])

    lines = list(statement.lines())

    assert len(lines) == 3
    assert sum((line.net for line in lines), statement.opening) == lines[-1].balance
    assert lines[-1].balance - statement.payout == statement.closing
    assert {line.kind for line in lines} == {"payment", "dispute"}


def test_csv_has_every_line_between_the_balances(batches: list[SettlementBatch]) -> None:
    content = b"".join(rendered(settlement_statement(batches[2]), "csv"))

    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))

    assert tuple(rows[0]) == COLUMNS
    assert [row["kind"] for row in rows][0::5] == ["opening_balance", "closing_balance"]
    assert (rows[0]["balance"], rows[-1]["balance"]) == ("-60.00", "0.00")
    assert (rows[-2]["kind"], rows[-2]["net"]) == ("payout", "-142.15")
    total = sum(Decimal(row["net"]) for row in rows if row["net"])
    assert Decimal(rows[0]["balance"]) + total == Decimal(rows[-1]["balance"])


def test_xlsx_holds_the_same_numbers(batches: list[SettlementBatch]) -> None:
    content = b"".join(rendered(settlement_statement(batches[2]), "xlsx"))

    book = load_workbook(io.BytesIO(content))

    summary = {row[0]: row[1] for row in book["Statement"].iter_rows(values_only=True)}
    assert summary["Merchant"] == "Käse <b>& Söhne</b>"
    assert [
        str(Money.exactly(Decimal(str(summary[name])), "EUR").text)
        for name in ("Opening balance", "Payments", "Disputes", "Fees", "Payout", "Closing balance")
    ] == ["-60.00", "250.00", "-40.00", "-7.85", "-142.15", "0.00"]
    assert book["Lines"].max_row == 1 + 1 + 3 + 1 + 1
    cell = book["Statement"]["B5"]
    assert cell.number_format == "#,##0.00"


def test_page_shows_the_balances_and_runs_nothing(batches: list[SettlementBatch]) -> None:
    batch = batches[2]

    page = html(settlement_statement(batch))

    assert "Käse &lt;b&gt;&amp; Söhne&lt;/b&gt;" in page
    assert "<b>" not in page
    for text in ("-60.00", "250.00", "-40.00", "-7.85", "202.15", "-142.15", batch.public_id):
        assert f">{text}<" in page


def test_reference_that_is_a_formula_runs_in_no_spreadsheet(shop: Merchant) -> None:
    payment = SucceededPaymentFactory(merchant=shop, reference="=HYPERLINK(1)")
    (batch,) = run_settlement(payment.effective_at.date(), actor=SYSTEM)
    statement = settlement_statement(batch)

    rows = b"".join(rendered(statement, "csv")).decode()
    book = load_workbook(io.BytesIO(b"".join(rendered(statement, "xlsx"))))

    assert ",'=HYPERLINK(1)," in rows
    assert book["Lines"]["C3"].value == "'=HYPERLINK(1)"


def test_statement_says_what_became_of_the_payout(batches: list[SettlementBatch]) -> None:
    payout = Payout.objects.select_related("merchant").get(batch=batches[0])
    sent([payout])
    assert "to Käse &amp; Söhne NL…4300" in html(settlement_statement(batches[0]))

    (again,) = mark_rejected([Refusal(payout.pk, "AC04", "Account closed")], actor=MAKER)

    page = html(settlement_statement(SettlementBatch.objects.get(pk=batches[0].pk)))
    assert f"{again.public_id}, PENDING_APPROVAL" in page
    assert "NL91ABNA0417164300" not in page


def test_every_kind_of_line_has_a_section() -> None:
    from settlements.models.batches import _SUBJECTS

    assert set(SECTIONS) == set(_SUBJECTS)


@pytest.mark.parametrize("format", [*CONTENT_TYPES, None])
def test_merchant_gets_its_statement(
    shop: Merchant, batches: list[SettlementBatch], format: str | None
) -> None:
    api = Api(ApiKeyFactory(merchant=shop, scopes=["reports:read"]).secret)
    query = {"format": format} if format else {}

    answer = api.get(f"/settlements/{batches[2].public_id}/statement", **query)

    content = b"".join(answer.streaming_content)
    assert (answer.status_code, answer["Content-Type"]) == (200, CONTENT_TYPES[format or "csv"])
    assert "sandbox" in answer["Content-Security-Policy"]
    if format != "xlsx":
        assert content == b"".join(rendered(settlement_statement(batches[2]), format or "csv"))
    else:
        assert load_workbook(io.BytesIO(content)).sheetnames == ["Statement", "Lines"]


def test_statement_of_somebody_else_is_not_there(batches: list[SettlementBatch]) -> None:
    stranger = Api(ApiKeyFactory(merchant=MerchantFactory(), scopes=["reports:read"]).secret)
    path = f"/settlements/{batches[0].public_id}/statement"

    assert_problem(stranger.get(path), 404, "settlement_not_found")
    assert_problem(stranger.get(path, format="pdf"), 400, "invalid_parameter")
    assert_problem(stranger.get(path, style="big"), 400, "unknown_parameter")


@pytest.mark.parametrize("format", CONTENT_TYPES)
def test_command_writes_a_statement(
    batches: list[SettlementBatch], format: str, tmp_path: Path, capsys: Any
) -> None:
    path = tmp_path / "statement"

    call_command("settlement_statement", batches[1].public_id, format=format, output=path)

    assert path.stat().st_size > 200
    assert "opening 0.00 closing -60.00 EUR, payout 0.00" in capsys.readouterr().out
    with pytest.raises(CommandError, match="settlement_not_found"):
        call_command("settlement_statement", "sb_1", format=format, output=path)
