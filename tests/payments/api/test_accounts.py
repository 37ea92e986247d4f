"""/accounts: opening them, what is on them, what went through them and who did it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from ledger.models import Account, AuditEvent, JournalEntry
from ledger.money import Money
from ledger.services.holds import place_hold
from ledger.services.posting import post_entry
from payments.models import ApiKey, Merchant
from payments.services.transfers import refund_transfer
from tests.factories import ApiKeyFactory, MerchantFactory, SucceededPaymentFactory
from tests.support.api import Api, assert_problem
from tests.support.entries import deposit
from tests.support.transfers import ACTOR, purse, transferred

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


def results(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.content
    return response.json()["results"]


# --- Opening -------------------------------------------------------------------------------


def test_account_is_opened_with_every_field(api: Api) -> None:
    response = api.post("/accounts", {"code": "till-1", "name": "Till", "currency": "EUR"})

    made = Account.objects.get(code="till-1")
    body = response.json()
    assert response.status_code == 201, body
    assert response["Location"] == f"/api/v1/accounts/{made.public_id}"
    assert parse_datetime(body.pop("created_at")) == made.created_at
    assert body == {
        "id": made.public_id,
        "code": "till-1",
        "name": "Till",
        "currency": "EUR",
        "allow_negative": False,
        "balance": "0.00",
        "available": "0.00",
        "pending": "0.00",
    }
    assert (made.type, made.floor) == ("liability", 0)


def test_account_without_a_code_gets_one(api: Api) -> None:
    bodies = [api.post("/accounts", {"name": "Till", "currency": "JPY"}).json() for _ in range(2)]

    assert bodies[0]["code"].startswith("wallet_")
    assert bodies[0]["code"] != bodies[1]["code"]
    assert bodies[0]["balance"] == "0"


def test_account_may_be_allowed_to_go_negative(api: Api) -> None:
    wish = {"code": "credit", "name": "Credit", "currency": "EUR", "allowNegative": True}

    body = api.post("/accounts", wish).json()

    assert body["allow_negative"] is True
    assert Account.objects.get(code="credit").floor is None


def test_opening_an_account_is_in_the_audit_trail(api: Api) -> None:
    response = api.post("/accounts", {"code": "till", "name": "Till", "currency": "EUR"})

    event = AuditEvent.objects.get(subject=response.json()["id"])
    assert (event.action, event.actor_label) == ("account.opened", "web shop")
    assert event.request_id == response["Request-Id"]
    assert event.after == {"code": "till", "currency": "EUR", "floor": 0}


def test_code_is_taken_once_per_merchant(api: Api, till: Account) -> None:
    purse(MerchantFactory(), "shared")

    again = api.post("/accounts", {"code": "till", "name": "Till", "currency": "EUR"})
    shared = api.post("/accounts", {"code": "shared", "name": "Mine", "currency": "EUR"})

    assert_problem(again, 409, "account_code_taken")
    assert shared.status_code == 201


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"code": "merchant:shop:payable:EUR"}, "code"),
        ({"code": "acct_0192"}, "code"),
        ({"code": "two words"}, "code"),
        ({"code": ""}, "code"),
        ({"code": "x" * 81}, "code"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"currency": "ZZZ"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"allow_negative": "perhaps"}, "allow_negative"),
        ({"owner": "mer_1"}, "owner"),
        ({"floor": -5}, "floor"),
        ({"balance": "1000000.00"}, "balance"),
    ],
)
def test_account_that_makes_no_sense_is_refused(
    api: Api, fields: dict[str, object], field: str
) -> None:
    wish = {"code": "till", "name": "Till", "currency": "EUR", **fields}

    response = api.post("/accounts", wish)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/{field}"]
    assert not Account.objects.filter(owner__startswith="mer_").exists()


# --- Finding -------------------------------------------------------------------------------


def test_account_is_shown_by_its_id_and_by_its_code(api: Api, till: Account) -> None:
    by_id, by_code = api.get(f"/accounts/{till.public_id}"), api.get("/accounts/till")

    assert by_id.status_code == 200
    assert by_id.json() == by_code.json()
    assert by_id.json()["balance"] == "100.00"


def test_accounts_are_listed_without_what_sales_earned(
    api: Api, shop: Merchant, till: Account, safe: Account
) -> None:
    SucceededPaymentFactory(merchant=shop)
    purse(MerchantFactory(), "other")

    codes = [account["code"] for account in results(api.get("/accounts"))]

    assert codes == ["safe", "till"]
    payable = Account.objects.get(code="merchant:shop:payable:EUR")
    assert_problem(api.get(f"/accounts/{payable.public_id}"), 404, "account_not_found")
    assert_problem(api.get(f"/accounts/{payable.code}/balance"), 404, "account_not_found")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/balance",
        "/ledger",
        "/audit-trail",
        "/reconciliation-history",
        "/reconciliation-difference?startDate=2026-01-01&endDate=2026-01-31",
    ],
)
def test_account_of_somebody_else_is_not_there(api: Api, path: str) -> None:
    other = purse(MerchantFactory(), "secret")

    for name in (other.public_id, "secret", "acct_unknown", "x" * 300):
        response = api.get(f"/accounts/{name}{path}")

        assert "secret" not in response.content.decode() or name == "secret"
        assert_problem(response, 404, "account_not_found")


# --- Balance -------------------------------------------------------------------------------


def test_balance_tells_posted_available_and_pending(api: Api, till: Account) -> None:
    place_hold(till.ref, Money(30_00, "EUR"), idempotency_key="h1", reference="order-1")

    body = api.get("/accounts/till/balance").json()

    as_of = parse_datetime(body.pop("as_of"))
    assert as_of is not None
    assert timezone.now() - as_of < timedelta(minutes=1)
    assert body == {
        "account_id": till.public_id,
        "code": "till",
        "currency": "EUR",
        "balance": "100.00",
        "available": "70.00",
        "pending": "30.00",
    }


def test_balance_as_of_a_moment_leaves_out_what_came_later(
    api: Api, till: Account, safe: Account
) -> None:
    transfer = transferred(till, safe, "30.00")
    entry = JournalEntry.objects.get(reference=transfer.public_id)
    at = entry.effective_at

    before = api.get("/accounts/till/balance", as_of=(at - timedelta(microseconds=1)).isoformat())
    then = api.get("/accounts/till/balance", as_of=at.isoformat().replace("+00:00", "Z"))
    first = api.get("/accounts/till/balance", as_of="2020-01-01T00:00:00+14:00")

    assert [response.json()["balance"] for response in (before, then, first)] == [
        "100.00",
        "70.00",
        "0.00",
    ]
    assert (then.json()["available"], then.json()["pending"]) == (None, None)


@pytest.mark.parametrize(
    "as_of", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", ""]
)
def test_moment_that_is_none_is_refused(api: Api, till: Account, as_of: str) -> None:
    assert_problem(api.get("/accounts/till/balance", as_of=as_of), 400, "invalid_parameter")


# --- Ledger --------------------------------------------------------------------------------


def test_ledger_shows_every_posting_with_the_balance_after_it(
    api: Api, till: Account, safe: Account
) -> None:
    out, back = transferred(till, safe, "30.00"), transferred(safe, till, "10.00")

    lines = results(api.get("/accounts/till/ledger"))

    shown = [(line["direction"], line["amount"], line["balance_after"]) for line in lines]
    assert shown == [
        ("credit", "10.00", "80.00"),
        ("debit", "30.00", "70.00"),
        ("credit", "100.00", "100.00"),
    ]
    assert [line["reference"] for line in lines[:2]] == [back.public_id, out.public_id]
    assert lines[1]["journal_entry_id"] == out.journal_entry
    entry = JournalEntry.objects.get(public_id=out.journal_entry)
    assert parse_datetime(lines[1]["effective_at"]) == entry.effective_at
    assert parse_datetime(lines[1]["posted_at"]) == entry.posted_at
    assert len({line["id"] for line in lines}) == 3


@pytest.mark.parametrize("path", ["/ledger", "/audit-trail"])
def test_pages_show_everything_once_while_more_is_posted(
    api: Api, till: Account, safe: Account, path: str
) -> None:
    for _ in range(5):
        transferred(till, safe, "1.00")
    everything = [line["id"] for line in results(api.get(f"/accounts/till{path}", limit="100"))]

    shown, query = [], {"limit": "2"}
    while True:
        page = api.get(f"/accounts/till{path}", **query).json()
        shown += [line["id"] for line in page["results"]]
        transferred(till, safe, "1.00")
        if not page["has_more"]:
            break
        query["cursor"] = page["next_cursor"]

    assert shown == everything
    assert page["next_cursor"] is None


@pytest.mark.parametrize("path", ["/ledger", "/audit-trail"])
def test_cursor_of_another_list_is_refused(
    api: Api, till: Account, safe: Account, path: str
) -> None:
    transferred(till, safe, "1.00")
    cursor = api.get(f"/accounts/till{path}", limit="1").json()["next_cursor"]

    for name, asked in (("safe", cursor), ("till", cursor[:-1]), ("till", "x"), ("till", "")):
        response = api.get(f"/accounts/{name}{path}", cursor=asked)

        assert_problem(response, 400, "invalid_cursor")


# --- Audit trail ---------------------------------------------------------------------------


def test_trail_says_who_opened_moved_and_sent_back(api: Api, shop: Merchant) -> None:
    opened = api.post("/accounts", {"code": "box", "name": "Box", "currency": "EUR"}).json()
    box = Account.objects.get(public_id=opened["id"])
    safe = purse(shop, "safe", "50.00")
    wish = {"source_account_id": "safe", "destination_account_id": "box", "amount": "20.00"}
    moved = api.post("/transactions", {"transaction": wish}).json()["transaction_id"]
    transferred(safe, box, "1.00")
    original = box.transfers_in.get(public_id=moved)
    refund_transfer(original, idempotency_key="r1", actor=ACTOR, reason="Too much")

    lines = results(api.get("/accounts/box/audit-trail"))

    assert [(line["action"], line["actor"], line["reason"]) for line in lines] == [
        ("transfer.refunded", "system:tests", "Too much"),
        ("transfer.posted", "system:tests", None),
        ("transfer.posted", "api_key:web shop", None),
        ("transfer.requested", "system:tests", None),
        ("transfer.requested", "api_key:web shop", None),
        ("account.opened", "api_key:web shop", None),
    ]
    assert lines[2]["subject"] == moved
    assert lines[2]["details"] == {
        "journal_entry_id": original.journal_entry,
        "direction": "credit",
        "amount": "20.00",
    }
    times = [line["created_at"] for line in lines]
    assert times == sorted(times, reverse=True)


def test_posting_nobody_is_known_to_have_asked_for_has_no_actor(api: Api, till: Account) -> None:
    post_entry(deposit("d1", till.ref, 5_00))

    actors = [line["actor"] for line in results(api.get("/accounts/till/audit-trail"))]

    assert actors == [None, None]
