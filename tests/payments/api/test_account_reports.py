"""Proving one account and one transaction: nothing to find in sound books, everything in forged."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from ledger.entries import moves
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.services.posting import post_entry
from payments.models import AccountReport, ApiKey, Merchant, Transfer
from payments.services.transfers import refund_transfer
from tests.factories import ApiKeyFactory
from tests.support.api import Api, assert_problem
from tests.support.books import assert_books_balance
from tests.support.entries import deposit, transfer
from tests.support.transfers import ACTOR, ask, decided, purse, tamper, transferred

pytestmark = pytest.mark.django_db

TODAY = {"startDate": f"{timezone.now():%Y-%m-%d}", "endDate": f"{timezone.now():%Y-%m-%d}"}


@pytest.fixture
def api(shop: Merchant) -> Api:
    return Api(ApiKeyFactory(merchant=shop, scopes=ApiKey.Scope.values).secret)


@pytest.fixture
def till(shop: Merchant) -> Account:
    return purse(shop, "till")


@pytest.fixture
def safe(shop: Merchant) -> Account:
    return purse(shop, "safe", "0.00")


@pytest.fixture
def moved(till: Account, safe: Account) -> Transfer:
    """30.00 from the till to the safe, 10.00 of it back, and one that failed."""
    made = transferred(till, safe, "30.00")
    decided(refund_transfer(made, money=Money(10_00, "EUR"), idempotency_key="r", actor=ACTOR))
    transferred(till, safe, "1000.00")
    return made


def reconcile(api: Api, account: str = "till", **period: str) -> dict[str, Any]:
    response = api.post(f"/accounts/{account}/reconcile", {**TODAY, **period}, key=None)
    assert response.status_code == 201, response.content
    return response.json()


def difference(api: Api, account: str = "till") -> tuple[str, str, str]:
    body = api.get(f"/accounts/{account}/reconciliation-difference", **TODAY).json()
    return body["ledger_balance"], body["transaction_balance"], body["difference"]


# --- Sound books ---------------------------------------------------------------------------


def test_sound_account_is_proved(api: Api, till: Account, moved: Transfer) -> None:
    body = reconcile(api)

    report = AccountReport.objects.get()
    body.pop("created_at")
    assert body == {
        "report_id": report.public_id,
        "account_id": till.public_id,
        "period": {"start": TODAY["startDate"], "end": TODAY["endDate"]},
        "balanced": True,
        "transaction_count": 2,
        "discrepancy_count": 0,
        "expected_balance": "80.00",
        "actual_balance": "80.00",
        "discrepancies": [],
        "created_by": "api_key:web shop",
    }
    assert difference(api) == ("-20.00", "-20.00", "0.00")
    assert difference(api, "safe") == ("20.00", "20.00", "0.00")


def test_period_has_its_own_opening_and_closing(api: Api, till: Account, safe: Account) -> None:
    for day, amount in ((1, 5_00), (15, 7_00), (31, 9_00)):
        at = datetime(2026, 1, day, 23, 30, tzinfo=UTC)
        post_entry(deposit(f"d{day}", safe.ref, amount, at=at))
    transferred(till, safe, "30.00")

    january = reconcile(api, "safe", startDate="2026-01-02", endDate="2026-01-30")
    after = reconcile(api, "safe", startDate="2026-01-31", endDate="2026-01-31")

    assert (january["expected_balance"], january["actual_balance"]) == ("12.00", "12.00")
    assert (after["expected_balance"], after["transaction_count"]) == ("21.00", 0)
    assert january["balanced"]
    assert after["balanced"]


def test_days_are_the_merchants(api: Api, shop: Merchant, till: Account, safe: Account) -> None:
    Merchant.objects.update(time_zone="Asia/Tokyo")
    at = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)  # 1 February in Tokyo
    post_entry(deposit("d1", safe.ref, 5_00, at=at))

    january = reconcile(api, "safe", startDate="2026-01-01", endDate="2026-01-31")
    february = reconcile(api, "safe", startDate="2026-02-01", endDate="2026-02-01")

    assert (january["expected_balance"], february["expected_balance"]) == ("0.00", "5.00")


def test_transfer_that_waits_is_no_finding(api: Api, till: Account, safe: Account) -> None:
    ask(till, safe, "30.00")

    body = reconcile(api)

    assert (body["balanced"], body["transaction_count"]) == (True, 0)


# --- Forged books --------------------------------------------------------------------------


def test_entry_that_was_deleted_is_missing(api: Api, moved: Transfer) -> None:
    entry = "(SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(f"DELETE FROM ledger_posting WHERE entry_id = {entry}", moved.journal_entry)
    tamper("DELETE FROM ledger_journalentry WHERE public_id = %s", moved.journal_entry)

    body = reconcile(api)

    missing, balance = body["discrepancies"]
    assert missing == {
        "type": "MISSING_LEDGER_ENTRY",
        "transaction_id": moved.public_id,
        "journal_entry_id": moved.journal_entry,
        "amount": "-30.00",
        "severity": "HIGH",
    }
    assert balance == {
        "type": "BALANCE_MISMATCH",
        "expected": "110.00",
        "actual": "80.00",
        "severity": "CRITICAL",
    }
    assert (body["balanced"], body["discrepancy_count"]) == (False, 2)
    assert difference(api) == ("10.00", "-20.00", "30.00")


def test_amount_that_was_changed_does_not_match(api: Api, moved: Transfer) -> None:
    """On both sides and with its balances, so that every total of the books still agrees."""
    entry = "entry_id = (SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(f"UPDATE ledger_posting SET amount = 3000000 WHERE {entry}", moved.journal_entry)
    tamper(
        "UPDATE ledger_posting SET balance_after = NULL"
        " WHERE account_id IN (SELECT id FROM ledger_account WHERE code IN ('till', 'safe'))"
    )
    tamper("UPDATE ledger_account SET floor = NULL WHERE code IN ('till', 'safe')")
    for code, side in (("till", "debits"), ("safe", "credits")):
        tamper(
            f"UPDATE ledger_accountbalance SET {side} = {side} + 2997000"
            " WHERE account_id = (SELECT id FROM ledger_account WHERE code = %s)",
            code,
        )
    assert_books_balance()

    body = reconcile(api, "safe")

    assert body["discrepancies"] == [
        {
            "type": "AMOUNT_MISMATCH",
            "transaction_id": moved.public_id,
            "journal_entry_id": moved.journal_entry,
            "expected": "30.00",
            "actual": "30000.00",
            "severity": "CRITICAL",
        }
    ]
    assert not body["balanced"]
    assert difference(api, "safe") == ("29990.00", "20.00", "29970.00")


def test_side_that_was_turned_does_not_match(api: Api, moved: Transfer) -> None:
    entry = "entry_id = (SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(
        "UPDATE ledger_posting SET direction ="
        f" CASE direction WHEN 'debit' THEN 'credit' ELSE 'debit' END WHERE {entry}",
        moved.journal_entry,
    )

    found = reconcile(api)["discrepancies"]

    assert [each["type"] for each in found] == ["AMOUNT_MISMATCH", "BALANCE_MISMATCH"]
    assert (found[0]["expected"], found[0]["actual"]) == ("-30.00", "30.00")


def test_entry_without_a_transfer_is_an_orphan(
    api: Api, moved: Transfer, till: Account, safe: Account
) -> None:
    forged = transfer("forged", till.ref, safe.ref, 5_00, at=timezone.now())
    result = post_entry(forged)

    body = reconcile(api)

    assert body["discrepancies"] == [
        {
            "type": "ORPHAN_LEDGER_ENTRY",
            "transaction_id": "ref-forged",
            "journal_entry_id": result.public_id,
            "amount": "-5.00",
            "severity": "HIGH",
        }
    ]


def test_transfer_that_is_no_longer_completed_leaves_an_orphan(api: Api, moved: Transfer) -> None:
    journal_entry = moved.journal_entry
    Transfer.objects.filter(pk=moved.pk).update(status="FAILED", journal_entry="")

    (found,) = reconcile(api)["discrepancies"]

    assert (found["type"], found["journal_entry_id"]) == ("ORPHAN_LEDGER_ENTRY", journal_entry)


def test_transfer_moved_to_other_accounts_is_an_orphan_here_and_missing_there(
    api: Api, shop: Merchant, moved: Transfer
) -> None:
    third = purse(shop, "third", "0.00")
    Transfer.objects.filter(pk=moved.pk).update(destination_account=third)

    (here,) = reconcile(api, "safe")["discrepancies"]
    (there,) = reconcile(api, "third")["discrepancies"]

    assert (here["type"], there["type"]) == ("ORPHAN_LEDGER_ENTRY", "MISSING_LEDGER_ENTRY")


def test_balance_that_was_changed_is_found_in_any_period(api: Api, till: Account) -> None:
    AccountBalance.objects.filter(account=till).update(credits=100_01)

    today = reconcile(api)
    past = reconcile(api, startDate="2026-01-01", endDate="2026-01-31")

    for body, expected, actual in ((today, "100.00", "100.01"), (past, "0.00", "0.01")):
        (found,) = body["discrepancies"]
        assert found["type"] == "BALANCE_MISMATCH"
        assert (body["expected_balance"], body["actual_balance"]) == (expected, actual)


# --- What is kept, and bad periods ---------------------------------------------------------


def test_reports_are_kept_as_they_were_found(api: Api, till: Account, safe: Account) -> None:
    first = reconcile(api)
    AccountBalance.objects.filter(account=till).update(credits=100_01)
    second = reconcile(api)
    reconcile(api, "safe")

    history = api.get("/accounts/till/reconciliation-history").json()

    assert history["results"] == [second, first]
    assert (first["balanced"], second["balanced"]) == (True, False)


@pytest.mark.parametrize(
    ("period", "code"),
    [
        ({}, "invalid_request"),
        ({"startDate": "2026-01-01"}, "invalid_request"),
        ({"startDate": "2026-02-30", "endDate": "2026-03-01"}, "invalid_request"),
        ({"startDate": "01/02/2026", "endDate": "2026-03-01"}, "invalid_request"),
        ({"startDate": "", "endDate": "2026-03-01"}, "invalid_request"),
        ({"startDate": "2026-02-02", "endDate": "2026-02-01"}, "invalid_period"),
        ({"startDate": "0001-01-01", "endDate": "2026-02-01"}, "invalid_period"),
        ({"startDate": "2026-01-01", "endDate": "9999-12-31"}, "invalid_period"),
    ],
)
def test_period_that_is_none_is_refused(
    api: Api, till: Account, period: dict[str, str], code: str
) -> None:
    posted = api.post("/accounts/till/reconcile", period)
    asked = api.get("/accounts/till/reconciliation-difference", **period)

    for response in (posted, asked):
        body = assert_problem(response, 422, code)
        if code == "invalid_request":
            assert all(error["pointer"].endswith("_date") for error in body["errors"])
    assert not AccountReport.objects.exists()


def test_difference_takes_both_spellings_and_no_other_parameter(api: Api, till: Account) -> None:
    path = "/accounts/till/reconciliation-difference"
    days = {"start_date": "2026-01-01", "end_date": "2026-01-31"}

    assert api.get(path, **days).json()["period"] == {"start": "2026-01-01", "end": "2026-01-31"}
    assert_problem(api.get(path, **days, currency="EUR"), 400, "unknown_parameter")


# --- Double entry of one transaction -------------------------------------------------------


def test_double_entry_is_shown_from_the_postings(
    api: Api, moved: Transfer, till: Account, safe: Account
) -> None:
    path = f"/transactions/{moved.public_id}/verify-double-entry"
    got, posted = api.get(path), api.post(path, "", key=None)

    assert (got.status_code, posted.status_code) == (200, 200)
    assert posted.json() == got.json()
    body = got.json()
    (entry,) = body.pop("entries")
    assert body == {
        "transaction_id": moved.public_id,
        "status": "COMPLETED",
        "balanced": True,
        "debits": "30.00",
        "credits": "30.00",
    }
    assert (entry["id"], entry["kind"]) == (moved.journal_entry, "transfer")
    assert entry["postings"] == [
        {"account_id": till.public_id, "direction": "debit", "amount": "30.00"},
        {"account_id": safe.public_id, "direction": "credit", "amount": "30.00"},
    ]


def test_double_entry_that_was_forged_is_not_balanced(api: Api, moved: Transfer) -> None:
    tamper("UPDATE ledger_posting SET amount = 3100 WHERE amount = 3000 AND direction = 'debit'")

    body = api.get(f"/transactions/{moved.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["debits"], body["credits"]) == (False, "31.00", "30.00")


def test_completed_without_an_entry_is_not_balanced(api: Api, moved: Transfer) -> None:
    tamper(
        "UPDATE ledger_journalentry SET reference = 'x' WHERE public_id = %s", moved.journal_entry
    )

    body = api.get(f"/transactions/{moved.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["debits"], body["entries"]) == (False, "0.00", [])


def test_transfer_that_waits_has_no_entries(api: Api, till: Account, safe: Account) -> None:
    waiting = ask(till, safe, "30.00")

    body = api.get(f"/transactions/{waiting.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["status"], body["entries"]) == (True, "ACCEPTED", [])


def test_account_proof_covers_what_went_in_otherwise(api: Api, till: Account) -> None:
    """A posting about no transfer counts for the balance and is no finding."""
    cash = deposit("d1", till.ref, 5_00, at=timezone.now())
    assert cash.lines == moves(cash.lines[0].account, till.ref, Money(5_00, "EUR"))
    post_entry(cash)

    body = reconcile(api)

    assert (body["balanced"], body["actual_balance"]) == (True, "105.00")
    assert difference(api) == ("0.00", "0.00", "0.00")
