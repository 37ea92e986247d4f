"""`make screenshots`: the pictures of docs/back-office.md, taken of the business day of the tests.

Amounts are the same each time; ids and dates are those of the moment.
"""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from PIL import Image

from config.demo.seed import BANK_ACCOUNTS
from config.embedded.places import CHECKOUT
from ledger.actors import Actor
from ledger.money import Money
from reconciliation.models import Discrepancy, SourceAccount
from reconciliation.services.discrepancies import add_note, assign, investigate
from reconciliation.services.sign_offs import prepare_sign_off, sign
from reconciliation.services.write_offs import propose_write_off
from settlements.rails.simulated_bank import SimulatedBank
from tests.browser.conftest import Desk
from tests.browser.office import Office, address_of
from tests.browser.pages import main_pages
from tests.browser.steps import show_preview

IMAGES = CHECKOUT / "docs" / "images"
BYTES_MAX, COLOURS = 150_000, 256


@pytest.fixture
def worked(office: Office) -> Office:
    """The morning after, half done."""
    maker = User.objects.get(username=address_of("maker"))
    checker = User.objects.get(username=address_of("checker"))
    me, boss = Actor.user(maker), Actor.user(checker)
    found = Discrepancy.objects.get(type="amount_mismatch")
    assign(found, maker, actor=me)
    investigate(found, actor=me)
    add_note(found, "Their report says 136.13; the order was for 137.50. Asked them.", actor=me)
    short = Discrepancy.objects.get(type="deposit_short")
    why = "They keep 2.50 for each transfer since March."
    propose_write_off(short, kind="write_off", reason_code="charges", reason=why, actor=me)
    account = SourceAccount.objects.get(source__code="simbank", currency="USD")
    sign(prepare_sign_off(account, office.day, actor=me), actor=boss, reason="I have read it.")
    return office


def test_pictures_of_the_back_office(desk: Desk, worked: Office) -> None:
    maker, checker = desk("maker", timezone_id="UTC"), desk("checker")
    ways = main_pages()

    page = maker.open(ways["landing"])
    page.get_by_text("Explained by open items").first.wait_for()
    _keep(page, "today")
    _keep(maker.open(ways["discrepancies"]), "discrepancies")
    page = maker.open(ways["discrepancy"])
    _keep(page, "discrepancy")
    _keep(maker.open(ways["account"]), "account")
    clearing = SourceAccount.objects.get(source__code="simpay", currency="EUR")
    proof = reverse("admin:reconciliation_sourceaccount_tie_out", args=[clearing.pk])
    _keep(maker.open(f"{proof}?day={worked.day}"), "tie-out")
    _keep(maker.open(reverse("admin:ledger_trial_balance")), "trial-balance")
    statement = _statement(worked)
    _keep(show_preview(maker.open("/admin/"), statement), "preview")

    write_off = Discrepancy.objects.get(type="deposit_short").write_offs.get()
    _keep(
        checker.open(reverse("admin:reconciliation_writeoff_approve", args=[write_off.pk])),
        "approval",
    )


def _statement(office: Office) -> bytes:
    bank = SimulatedBank(BANK_ACCOUNTS, office.day + timedelta(days=1))
    bank.book(Money(-15_000, "EUR"), counterparty="Stationery Ltd", text="INVOICE 2041")
    bank.book(Money(-1_250, "EUR"), counterparty="Our Bank", text="ACCOUNT FEE")
    return bank.statement()


def _keep(page: Any, name: str) -> None:
    page.evaluate("document.fonts.ready")
    path: Path = IMAGES / f"{name}.png"
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    assert path.stat().st_size <= BYTES_MAX, f"{path.name} is too large"
