"""Payments as a file: what the list's filters choose, whole or not at all."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.portal import payments_file
from ledger.models import AuditEvent
from ledger.money import Money
from payments.models import Merchant, Payment
from tests.factories import (
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.portal import Role, text_of, visit

pytestmark = pytest.mark.django_db

PAYMENTS = reverse("portal:payments")
FILE = reverse("portal:payments_file")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop", time_zone="Asia/Tokyo")


@pytest.fixture
def client(shop: Merchant) -> Client:
    return visit(shop, Role.VIEWER)


def text(answer: Any) -> str:
    return b"".join(answer).decode()


def loaded(client: Client, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(client.get(FILE, query)), newline="")))


def test_file_has_amounts_in_major_units_and_times_in_utc(client: Client, shop: Merchant) -> None:
    paid = SucceededPaymentFactory(merchant=shop, money=eur("1234.50"), reference="A-1")
    SucceededRefundFactory(payment=paid, money=eur("20.00"))
    PaymentFactory(merchant=shop, money=Money(700, "JPY"), reference="A-2", description="Tea")
    moment = datetime(2026, 3, 19, 15, 0, tzinfo=UTC)  # the 20th in Tokyo
    Payment.objects.update(created_at=moment)

    answer = client.get(FILE)
    yen, euros = loaded(client)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="payments-shop-20')
    assert answer["Cache-Control"] == "no-store"
    assert answer.streaming
    assert (euros["id"], euros["reference"], euros["status"]) == (
        paid.public_id,
        "A-1",
        "SUCCEEDED",
    )
    assert [euros[each] for each in ("amount", "amount_captured", "amount_refunded", "fee")] == [
        "1234.50",
        "1234.50",
        "20.00",
        "36.10",
    ]
    assert euros["created_at"] == "2026-03-19T15:00:00Z"
    assert euros["effective_at"].endswith("Z")
    assert (yen["amount"], yen["currency"], yen["description"]) == ("700", "JPY", "Tea")
    assert yen["effective_at"] == ""


def test_file_has_what_the_list_shows(client: Client, shop: Merchant) -> None:
    for number in range(30):
        PaymentFactory(merchant=shop, reference=f"A-{number}", money=eur(f"{number + 1}.00"))
    PaymentFactory(merchant=MerchantFactory(code="other"), reference="THEIRS-1")

    link = client.get(PAYMENTS, {"currency": "EUR", "amount_min": "3.00"}).content.decode()

    assert f'href="{FILE}?currency=EUR&amp;amount_min=3.00"' in link
    rows = loaded(client, currency="EUR", amount_min="3.00")
    assert [row["reference"] for row in rows] == [f"A-{number}" for number in range(29, 1, -1)]
    assert len(loaded(client)) == 30


def test_file_begins_at_the_top_wherever_the_list_is(client: Client, shop: Merchant) -> None:
    for _ in range(26):
        PaymentFactory(merchant=shop)
    second = client.get(PAYMENTS).context["listing"].next_query

    page = client.get(f"{PAYMENTS}?{second}").content.decode()

    assert f'href="{FILE}"' in page


def test_filter_that_cannot_be_read_leads_to_the_list_that_says_why(
    client: Client, shop: Merchant
) -> None:
    PaymentFactory(merchant=shop)

    answer = client.get(FILE, {"amount_min": "1"}, follow=True)

    assert answer.redirect_chain == [(f"{PAYMENTS}?amount_min=1", 302)]
    assert "Amounts need a currency." in text_of(answer)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", " =", "'=", "\t="])
def test_no_text_of_a_payment_runs_in_a_spreadsheet(
    client: Client, shop: Merchant, start: str
) -> None:
    formula = f"{start}HYPERLINK(1)"
    PaymentFactory(merchant=shop, reference=formula, description=formula, source=formula)

    (row,) = loaded(client)

    assert [row[each] for each in ("reference", "description", "source")] == [f"'{formula}"] * 3


def test_more_payments_than_a_file_takes_are_refused_and_nothing_is_sent(
    client: Client, shop: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments_file, "ROWS_MAX", 2)
    for number in range(3):
        PaymentFactory(merchant=shop, reference=f"A-{number}")

    answer = client.get(FILE)

    assert answer.status_code == 422
    assert "choose fewer days" in text_of(answer)
    assert not AuditEvent.objects.filter(action="file.exported").exists()
    assert len(loaded(client, search="A-1")) == 1


def test_file_that_left_is_in_the_audit_trail(client: Client, shop: Merchant) -> None:
    text(client.get(FILE))

    event = AuditEvent.objects.get(action="file.exported")
    assert event.subject.startswith("payments-shop-20")
    assert event.actor_label == "ann@example.com"
    assert event.after == {"page": "portal:payments_file", "merchant": shop.public_id}


def test_empty_file_has_its_columns(client: Client) -> None:
    assert text(client.get(FILE)).strip() == ",".join(payments_file.COLUMNS)
