"""/transactions: asking for transfers, polling them, sending them back, proving them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.dateparse import parse_datetime

from ledger.models import Account
from payments.models import ApiKey, Merchant, Transfer
from payments.services.transfers import process_transfers
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.api import Api, assert_problem
from tests.support.transfers import ask, on, purse, transferred

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def api(shop: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=shop, scopes=ApiKey.Scope.values).secret)


@pytest.fixture
def till(shop: Merchant) -> Account:
    return purse(shop, "till")


@pytest.fixture
def safe(shop: Merchant) -> Account:
    return purse(shop, "safe", "0.00")


def wish(amount: Any = "30.00", **fields: Any) -> dict[str, Any]:
    transfer = {
        "source_account_id": "till",
        "destination_account_id": "safe",
        "amount": amount,
        **fields,
    }
    return {"transaction": transfer}


# --- Asking --------------------------------------------------------------------------------


def test_transfer_is_accepted_with_where_to_ask_for_it(
    api: Api, till: Account, safe: Account
) -> None:
    response = api.post("/transactions", wish(metadata={"orderId": "7"}), key="k/1?#%")

    made = Transfer.objects.get()
    body = response.json()
    assert response.status_code == 202, body
    assert response["Location"] == f"/api/v1/transactions/{made.public_id}"
    assert parse_datetime(body.pop("expires_at")) == made.created_at + timedelta(days=30)
    assert body == {
        "status": "ACCEPTED",
        "transaction_id": made.public_id,
        "idempotency_key": "k/1?#%",
        "message_id": made.public_id,
        "poll_url": "/api/v1/transactions/status/k%2F1%3F%23%25",
    }
    assert made.metadata == {"orderId": "7"}
    assert on(till) == "100.00"


def test_accounts_are_named_by_id_or_code(api: Api, till: Account, safe: Account) -> None:
    named = wish(source_account_id=till.public_id, destination_account_id=safe.public_id)

    api.post("/transactions", named)

    made = Transfer.objects.get()
    assert (made.source_account, made.destination_account) == (till, safe)


def test_same_request_is_answered_alike_and_moves_once(
    api: Api, till: Account, safe: Account
) -> None:
    first = api.post("/transactions", wish(), key="k1")
    process_transfers()

    again = api.post("/transactions", wish(), key="k1")
    other = api.post("/transactions", wish("30.01"), key="k1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert_problem(other, 422, "idempotency_key_reused")
    assert process_transfers() == 0
    assert on(till) == "70.00"


def test_key_is_required_and_belongs_to_one_merchant(
    api: Api, till: Account, safe: Account
) -> None:
    other = MerchantFactory()
    purse(other, "till"), purse(other, "safe", "0.00")
    theirs = Api(ApiKeyFactory(merchant=other, scopes=ApiKey.Scope.values).secret)

    answers = [each.post("/transactions", wish(), key="k1") for each in (api, theirs)]

    assert_problem(api.post("/transactions", wish(), key=None), 400, "idempotency_key_missing")
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["transaction_id"] != answers[1].json()["transaction_id"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"amount": 30}, 422, "amount_ambiguous"),
        ({"amount": "1e1"}, 422, "invalid_amount"),
        ({"amount": "0.001"}, 422, "invalid_amount"),
        ({"amount": "0.00"}, 422, "amount_out_of_range"),
        ({"amount": "-1.00"}, 422, "amount_out_of_range"),
        ({"amount": None}, 422, "invalid_request"),
        ({"currency": "EUR"}, 422, "unknown_field"),
        ({"metadata": {"a": {"b": "c"}}}, 422, "metadata_invalid"),
        ({"source_account_id": None}, 422, "invalid_request"),
        ({"source_account_id": "nobody"}, 404, "account_not_found"),
        ({"destination_account_id": "secret"}, 404, "account_not_found"),
        ({"destination_account_id": "till"}, 422, "same_account"),
        ({"destination_account_id": "dollars"}, 422, "currency_mismatch"),
    ],
)
def test_transfer_that_makes_no_sense_is_refused(
    api: Api,
    shop: Merchant,
    till: Account,
    safe: Account,
    fields: dict[str, Any],
    status: int,
    code: str,
) -> None:
    purse(shop, "dollars", "0.00", currency="USD")
    purse(MerchantFactory(), "secret")

    refused = api.post("/transactions", wish(**fields), key="k1")
    mended = api.post("/transactions", wish(), key="k1")

    assert_problem(refused, status, code)
    assert mended.status_code == 202
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"transaction": None}, "invalid_request"),
        ({"transaction": []}, "invalid_request"),
        ({**wish(), "extra": 1}, "unknown_field"),
    ],
)
def test_body_that_is_none_is_refused(
    api: Api, till: Account, body: dict[str, Any], code: str
) -> None:
    assert_problem(api.post("/transactions", body), 422, code)


def test_refusals_point_into_the_transaction(api: Api, till: Account) -> None:
    body = assert_problem(api.post("/transactions", wish(fee="1.00")), 422, "unknown_field")

    assert [error["pointer"] for error in body["errors"]] == ["#/transaction/fee"]


# --- Polling -------------------------------------------------------------------------------


def test_status_follows_the_transfer(api: Api, till: Account, safe: Account) -> None:
    accepted = api.post("/transactions", wish(), key="k/1?#%").json()
    path = accepted["poll_url"].removeprefix("/api/v1")

    before = api.get(path)
    process_transfers()
    after = api.get(path)

    made = Transfer.objects.get()
    assert (before.status_code, before.json()) == (
        200,
        {
            "status": "PROCESSING",
            "idempotency_key": "k/1?#%",
            "transaction_id": made.public_id,
            "result": None,
        },
    )
    assert (after.status_code, after.json()["status"]) == (200, "COMPLETED")
    assert after.json()["result"] == api.get(f"/transactions/{made.public_id}").json()


def test_transfer_is_shown_with_every_field(api: Api, till: Account, safe: Account) -> None:
    made = transferred(till, safe, "30.00")

    body = api.get(f"/transactions/{made.public_id}").json()

    assert parse_datetime(body.pop("created_at")) == made.created_at
    assert parse_datetime(body.pop("updated_at")) == made.updated_at
    assert body == {
        "id": made.public_id,
        "status": "COMPLETED",
        "source_account_id": till.public_id,
        "destination_account_id": safe.public_id,
        "amount": "30.00",
        "currency": "EUR",
        "amount_refunded": "0.00",
        "refund_of": None,
        "reason": None,
        "metadata": {},
        "journal_entry_id": made.journal_entry,
        "failure_code": None,
        "failure_reason": None,
        "created_by": "system:tests",
    }


def test_insufficient_funds_fail_with_the_reason(api: Api, till: Account, safe: Account) -> None:
    api.post("/transactions", wish("100.01"), key="k1")
    process_transfers()

    body = api.get("/transactions/status/k1").json()

    assert body["status"] == "FAILED"
    assert body["result"]["failure_code"] == "insufficient_funds"
    assert body["result"]["failure_reason"] == "The balance of till does not allow this."
    assert body["result"]["journal_entry_id"] is None


def test_transfer_of_somebody_else_is_not_there(api: Api) -> None:
    other = MerchantFactory()
    made = ask(purse(other, "till"), purse(other, "safe", "0.00"), "1.00", key="theirs")

    for name in (made.public_id, "tr_unknown", "status/theirs", "status/unknown"):
        assert_problem(api.get(f"/transactions/{name}"), 404, "transaction_not_found")
    for name in (made.public_id, "tr_unknown"):
        path = f"/transactions/{name}"
        assert_problem(api.post(f"{path}/refund", {}), 404, "transaction_not_found")
        assert_problem(api.get(f"{path}/verify-double-entry"), 404, "transaction_not_found")
    assert api.get("/transactions").json()["results"] == []


def test_transfers_are_listed_newest_first_and_by_status(
    api: Api, till: Account, safe: Account
) -> None:
    done = transferred(till, safe, "30.00")
    waiting = ask(till, safe, "1.00")

    everything = api.get("/transactions").json()["results"]
    completed = api.get("/transactions", status="COMPLETED").json()["results"]

    assert [row["id"] for row in everything] == [waiting.public_id, done.public_id]
    assert [row["id"] for row in completed] == [done.public_id]
    assert_problem(api.get("/transactions", status="DONE"), 400, "invalid_parameter")
    assert_problem(api.get("/transactions", state="DONE"), 400, "unknown_parameter")


# --- Sending back --------------------------------------------------------------------------


def test_refund_is_accepted_and_goes_back(api: Api, till: Account, safe: Account) -> None:
    made = transferred(till, safe, "30.00")
    path = f"/transactions/{made.public_id}"

    response = api.post(f"{path}/refund", {"amount": "10.00", "reason": "Too much"})
    process_transfers()

    body = response.json()
    assert (response.status_code, body["status"]) == (202, "ACCEPTED")
    assert response["Location"] == f"/api/v1/transactions/{body['id']}"
    assert (body["refund_of"], body["amount"], body["reason"]) == (
        made.public_id,
        "10.00",
        "Too much",
    )
    assert (body["source_account_id"], body["destination_account_id"]) == (
        safe.public_id,
        till.public_id,
    )
    assert api.get(f"/transactions/{body['id']}").json()["status"] == "COMPLETED"
    assert api.get(path).json()["amount_refunded"] == "10.00"
    assert on(till) == "80.00"


def test_refund_is_capped_and_made_once_per_key(api: Api, till: Account, safe: Account) -> None:
    path = f"/transactions/{transferred(till, safe, '30.00').public_id}/refund"

    first = api.post(path, {"amount": "20.00"}, key="r1")
    again = api.post(path, {"amount": "20.00"}, key="r1")
    too_much = api.post(path, {"amount": "10.01"}, key="r2")
    rest = api.post(path, {}, key="r2")

    assert (again.status_code, again.content) == (202, first.content)
    assert_problem(too_much, 422, "amount_exceeds_refundable")
    assert (rest.status_code, rest.json()["amount"]) == (202, "10.00")
    assert_problem(api.post(path, {}), 422, "amount_exceeds_refundable")


def test_only_completed_transfers_are_refunded(api: Api, till: Account, safe: Account) -> None:
    waiting = ask(till, safe, "30.00")

    response = api.post(f"/transactions/{waiting.public_id}/refund", {})

    assert_problem(response, 409, "transaction_not_refundable")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 10}, "amount_ambiguous"),
        ({"amount": "0"}, "amount_out_of_range"),
        ({"amount": None}, "invalid_request"),
        ({"reason": "r" * 256}, "invalid_request"),
        ({"currency": "EUR"}, "unknown_field"),
    ],
)
def test_refund_that_makes_no_sense_is_refused(
    api: Api, till: Account, safe: Account, fields: dict[str, Any], code: str
) -> None:
    made = transferred(till, safe, "30.00")

    assert_problem(api.post(f"/transactions/{made.public_id}/refund", fields), 422, code)

    made.refresh_from_db()
    assert made.amount_refunded == 0


# --- Who may -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "reads", "writes"),
    [("accounts:read", 200, 403), ("accounts:write", 403, 202), ("payments:write", 403, 403)],
)
def test_reading_and_writing_have_scopes_of_their_own(
    shop: Merchant, till: Account, safe: Account, scope: str, reads: int, writes: int
) -> None:
    api = Api(ApiKeyFactory(merchant=shop, scopes=[scope]).secret)

    assert api.get("/accounts").status_code == reads
    assert api.get("/transactions").status_code == reads
    assert api.post("/transactions", wish()).status_code == writes
