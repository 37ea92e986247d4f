"""The search of the back office: by any id, reference, code or amount, and the viewer's share."""

from datetime import date

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from ledger.models import Account, JournalEntry
from payments.models import Payment
from reconciliation.models import Discrepancy, StatementLine
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory, eur
from tests.support.reports import DAY, charge, define_sources, load, report

pytestmark = [pytest.mark.django_db]

FIND = reverse("find")


@pytest.fixture
def payment() -> Payment:
    """Of 100.00 EUR, reported with 90.00."""
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="order-7")
    processor, _ = define_sources()
    load(processor, report(charge(payment, "txn_1", gross="90.00", customer_facing_amount="90.00")))
    reconcile(as_of=max(DAY, date.today()))
    return payment


@pytest.fixture
def root() -> Client:
    return client_of(User.objects.create_superuser("root@example.com"))


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def kinds(client: Client, text: str) -> list[str]:
    response = client.get(FIND, {"q": text})
    assert response.status_code == 200
    return [hit.kind for hit in response.context["found"].hits]


def test_an_id_opens_its_record(payment: Payment, root: Client) -> None:
    entry = JournalEntry.objects.filter(reference=payment.public_id).first()
    line = StatementLine.objects.get()
    assert entry is not None
    for text, url in {
        payment.public_id: f"/admin/payments/payment/{payment.pk}/change/",
        f"  {entry.public_id} ": f"/admin/ledger/journalentry/{entry.pk}/change/",
        line.public_id: f"/admin/reconciliation/statementline/{line.pk}/change/",
        f"payout:{line.pk}": f"/admin/reconciliation/statementline/{line.pk}/change/",
        "clearing:sim:EUR": (
            f"/admin/ledger/account/{Account.objects.get(code='clearing:sim:EUR').pk}/change/"
        ),
    }.items():
        assert root.get(FIND, {"q": text})["Location"] == url


def test_a_reference_finds_all_that_have_it(payment: Payment, root: Client) -> None:
    assert kinds(root, "order-7") == ["payment", "statement line", "discrepancy"]
    assert root.get(FIND, {"q": "txn_1"}).status_code == 302


def test_an_amount_finds_payments_lines_and_what_is_at_stake(
    payment: Payment, root: Client
) -> None:
    discrepancy = Discrepancy.objects.get(type="amount_mismatch")
    assert discrepancy.money == eur("-10.00")
    for text, url in {
        "100.00 eur": f"/admin/payments/payment/{payment.pk}/change/",
        "10": f"/admin/reconciliation/discrepancy/{discrepancy.pk}/change/",
        "-10.00": f"/admin/reconciliation/discrepancy/{discrepancy.pk}/change/",
    }.items():
        assert root.get(FIND, {"q": text})["Location"] == url
    assert kinds(root, "10.00 USD") == []


@pytest.mark.parametrize("text", ["", "nothing", "pay_", "' OR 1=1 --", "x" * 400, "0", "1e9"])
def test_what_is_not_there_is_not_found(text: str, payment: Payment, root: Client) -> None:
    assert kinds(root, text) == []


def test_viewer_finds_only_what_he_may_see(payment: Payment) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_statementline"))

    client = client_of(clerk)
    assert kinds(client, payment.public_id) == []
    assert client.get(FIND, {"q": "order-7"})["Location"].startswith("/admin/reconciliation/")
    assert Client().get(FIND, {"q": "order-7"}).status_code == 302
