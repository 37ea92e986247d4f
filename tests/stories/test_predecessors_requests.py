"""What users of the predecessor send, as its README writes it, at the demo's accounts."""

from datetime import datetime
from typing import Any

import pytest

from config.demo.seed import DEMO_KEY, DEMO_MERCHANT, seed_demo
from payments.models import Merchant
from payments.services.transfers import process_transfers
from tests.support.api import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

TRANSACTION = (
    '{"transaction":{"source_account_id":"account-123","destination_account_id":"account-456",'
    '"amount":100.00},"idempotencyKey":"unique-key-12345"}'
)
PERIOD = '{"startDate":"2026-01-01","endDate":"2026-01-31"}'


@pytest.fixture
def api() -> Api:
    seed_demo()
    return Api(DEMO_KEY)


def got(api: Api, path: str, **query: str) -> Any:
    response = api.get(path, **query)
    assert response.status_code == 200, response.content
    return response.json()


def test_transfer_from_asking_to_proof(api: Api) -> None:
    sent = api.post("/transactions", TRANSACTION, key=None)
    assert (sent.status_code, sent.json()["status"]) == (202, "ACCEPTED")
    assert got(api, "/transactions/status/unique-key-12345")["status"] == "PROCESSING"

    process_transfers()

    polled = got(api, "/transactions/status/unique-key-12345")
    assert (polled["status"], polled["result"]["amount"]) == ("COMPLETED", "100.00")
    assert got(api, "/accounts/account-123/balance")["balance"] == "9900.00"
    assert got(api, "/accounts/account-456/balance")["balance"] == "100.00"
    newest, funding = got(api, "/accounts/account-123/ledger")["results"]
    assert (newest["direction"], newest["amount"], newest["balance_after"]) == (
        "debit",
        "100.00",
        "9900.00",
    )
    assert funding["amount"] == "10000.00"
    path = f"/transactions/{polled['result']['id']}/verify-double-entry"
    proof = api.post(path, "", key=None).json()
    assert (proof["balanced"], proof["debits"], proof["credits"]) == (True, "100.00", "100.00")

    again = api.post("/transactions", TRANSACTION, key=None)
    assert (again.status_code, again.content) == (202, sent.content)
    assert process_transfers() == 0


def test_account_is_reconciled_and_its_history_kept(api: Api) -> None:
    api.post("/transactions", TRANSACTION, key=None)
    process_transfers()

    january = api.post("/accounts/account-123/reconcile", PERIOD, key=None)
    today = str(datetime.now(Merchant.objects.get(code=DEMO_MERCHANT).zone).date())
    days = {"startDate": today, "endDate": today}
    now = api.post("/accounts/account-123/reconcile", days, key=None).json()

    assert january.status_code == 201
    assert january.json()["balanced"] is True
    assert (now["balanced"], now["transaction_count"]) == (True, 1)
    assert now["expected_balance"] == now["actual_balance"] == "9900.00"
    history = got(api, "/accounts/account-123/reconciliation-history")["results"]
    assert history == [now, january.json()]
    found = got(api, "/accounts/account-123/reconciliation-difference", **days)
    assert (found["ledger_balance"], found["difference"]) == ("-100.00", "0.00")


def test_refund_and_audit_trail(api: Api) -> None:
    made = api.post("/transactions", TRANSACTION, key=None).json()["transaction_id"]
    process_transfers()

    refunded = api.post(f"/transactions/{made}/refund", '{"amount":10.00,"reason":"Too much"}')
    process_transfers()

    assert refunded.status_code == 202
    assert got(api, "/accounts/account-123/balance")["balance"] == "9910.00"
    trail = got(api, "/accounts/account-123/audit-trail")["results"]
    assert [line["action"] for line in trail] == [
        "transfer_refund.posted",
        "transfer.refunded",
        "transfer.posted",
        "transfer.requested",
        "wallet_funding.posted",
    ]
    assert {line["actor"] for line in trail[:4]} == {"api_key:Demo key"}
