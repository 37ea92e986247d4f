"""Settlements, payouts, statements and what processors reported, in the portal."""

import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.models import Merchant, Payment
from reconciliation.services.runs import reconcile
from settlements.models import SettlementBatch
from settlements.services.batches import run_settlement
from tests.factories import MerchantFactory, SucceededPaymentFactory, SucceededRefundFactory, eur
from tests.support.payouts import sent
from tests.support.portal import Role, text_of, visit
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SETTLEMENTS = reverse("portal:settlements")
PAYOUTS = reverse("portal:payouts")
RESULTS = reverse("portal:reconciliation")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


@pytest.fixture
def client(shop: Merchant) -> Client:
    return visit(shop, Role.VIEWER)


@pytest.fixture
def batch(shop: Merchant) -> SettlementBatch:
    """100.00 and 50.00 paid, 20.00 given back."""
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference="A-1")
    SucceededPaymentFactory(merchant=shop, money=eur("50.00"), reference="A-2")
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    (batch,) = run_settlement(payment.effective_at.date(), actor=Actor.system("tests"))
    return batch


def test_settlement_shows_its_figures_and_lines(client: Client, batch: SettlementBatch) -> None:
    listed = text_of(client.get(SETTLEMENTS))
    page = text_of(client.get(reverse("portal:settlement", args=[batch.public_id])))

    assert '<td class="n">125.05 EUR</td>' in listed
    assert "<dt>Payments (2)</dt><dd>150.00 EUR</dd>" in page
    assert "<dt>Refunds (1)</dt><dd>-20.00 EUR</dd>" in page
    assert "<dt>Payout</dt><dd>-125.05 EUR</dd>" in page
    assert "<dt>Closing balance</dt><dd>0.00 EUR</dd>" in page
    assert page.count('<th scope="row">Payment</th>') == 2
    assert page.count('<th scope="row">Refund</th>') == 1
    assert page.count(">A-1</a>") == 2  # the refund leads to its payment


def test_lists_say_what_will_be_there(client: Client) -> None:
    for url in (SETTLEMENTS, PAYOUTS, RESULTS):
        assert 'class="empty"' in client.get(url).content.decode()


def test_status_filter_chooses(client: Client, batch: SettlementBatch) -> None:
    def listed(status: str) -> int:
        return len(client.get(SETTLEMENTS, {"status": status}).context["rows"])

    assert [listed(status) for status in ("", "CLOSED", "PAID", "NONE")] == [1, 1, 0, 0]


def test_payout_shows_where_it_is(client: Client, batch: SettlementBatch) -> None:
    payout = batch.payouts.get()
    page = reverse("portal:payout", args=[payout.public_id])
    assert "not sent yet" in text_of(client.get(page))

    sent([payout])

    assert "NL…4300" in text_of(client.get(page))
    assert "NL…4300" in text_of(client.get(PAYOUTS))
    assert '<td class="n">125.05 EUR</td>' in text_of(client.get(PAYOUTS))
    assert "NL91ABNA0417164300" not in text_of(client.get(page))


def test_statement_is_downloaded_in_each_format_and_noted(
    client: Client, batch: SettlementBatch
) -> None:
    answers = {
        format: client.get(reverse("portal:statement", args=[batch.public_id, format]))
        for format in ("csv", "xlsx", "html")
    }

    files = {format: b"".join(answer.streaming_content) for format, answer in answers.items()}
    assert b"closing_balance,,,,,,,0.00,EUR\r\n" in files["csv"]
    assert load_workbook(io.BytesIO(files["xlsx"]))["Lines"].max_row == 7
    assert b"Settlement statement" in files["html"]
    assert answers["csv"]["Content-Disposition"].startswith("attachment; filename=")
    assert answers["html"]["Content-Disposition"].startswith("inline; filename=")
    assert "sandbox" in answers["html"]["Content-Security-Policy"]
    noted = AuditEvent.objects.filter(action="file.exported").order_by("pk")
    assert [each.subject.rpartition(".")[2] for each in noted] == ["csv", "xlsx", "html"]
    assert {each.actor_label for each in noted} == {"ann@example.com"}


def test_statement_in_no_format_we_have_is_not_found(
    client: Client, batch: SettlementBatch
) -> None:
    answer = client.get(reverse("portal:statement", args=[batch.public_id, "pdf"]))

    assert answer.status_code == 404


def test_each_payment_says_what_its_processor_reported(client: Client, shop: Merchant) -> None:
    processor, _ = define_sources()
    fine, less, later = (
        SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference=f"ORDER-000{n}")
        for n in range(3)
    )
    Payment.objects.filter(pk=later.pk).update(
        settlement_due_on=later.settlement_due_on + timedelta(days=10)
    )
    rows = [
        charge(fine, "txn_1"),
        charge(less, "txn_2", gross="98.00", customer_facing_amount="98.00"),
    ]
    load(processor, report(*rows))
    reconcile()

    rows = client.get(RESULTS).context["rows"]
    assert {row["reference"]: row["status"] for row in rows} == {
        "ORDER-0000": "MATCHED",
        "ORDER-0001": "MISMATCHED",
        "ORDER-0002": "SETTLEMENT_PENDING",
    }
    (row,) = client.get(RESULTS, {"status": "MISMATCHED"}).context["rows"]
    page = text_of(client.get(reverse("portal:payment", args=[row["payment_id"]])))
    assert '<span class="status mismatched">Mismatched</span>' in page
    assert "<li>" in page
