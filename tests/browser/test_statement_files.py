"""A statement is looked at, sent and watched until it is loaded; with and without scripts."""

from datetime import timedelta
from typing import Any

import pytest

from config.demo.seed import BANK_ACCOUNTS
from ledger.money import Money
from reconciliation.models import StatementFile
from reconciliation.services.loading import load_statements
from settlements.rails.simulated_bank import SimulatedBank
from tests.browser.conftest import Desk
from tests.browser.office import Office
from tests.browser.steps import show_preview


@pytest.fixture
def statement(office: Office) -> bytes:
    """Of the day after: two withdrawals, 150.00 and 12.50 EUR."""
    bank = SimulatedBank(BANK_ACCOUNTS, office.day + timedelta(days=1))
    for amount in ("-150.00", "-12.50"):
        money = Money.of(amount, "EUR")
        bank.book(money, counterparty="Stationery Ltd", text=f"INVOICE {amount}")
    return bank.statement()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_statement_is_looked_at_sent_and_watched(
    desk: Desk, statement: bytes, scripts: bool
) -> None:
    page = desk("maker", java_script_enabled=scripts).open("/admin/")

    show_preview(page, statement)

    assert _cells(page, "DE02120300000000202051")[-5:-1] == ["2", "24547.60", "-162.50", "24385.10"]
    assert _cells(page, "INVOICE -12.50")[-2:] == ["-12.50", "EUR"]
    assert not StatementFile.objects.filter(name="tomorrow.xml").exists()
    page.get_by_role("button", name="Send").click()
    page.get_by_text("0 % read").wait_for()
    url = page.url

    load_statements()

    page.get_by_text("2 lines").wait_for()
    assert page.url == url
    assert _cells(page, "DE02120300000000202051")[-3:-1] == ["24547.60", "24385.10"]
    assert StatementFile.objects.get(name="tomorrow.xml").status == "LOADED"


def _cells(page: Any, text: str) -> list[str]:
    row = page.locator("tr", has_text=text).first
    return [cell.strip() for cell in row.locator("td").all_inner_texts()]
