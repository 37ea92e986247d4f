"""POST /accounts/{id}/reconcile proves one account and keeps what it found."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from ledger.entries import moves
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.services.posting import post_entry
from payments.models import AccountReport, Merchant, Transfer
from tests.support.api import Api, assert_problem
from tests.support.entries import deposit
from tests.support.tills import TODAY, difference, reconcile
from tests.support.transfers import ask, transferred

pytestmark = pytest.mark.django_db


# --- Sound books ---------------------------------------------------------------------------


def test_sound_account_is_proved(teller: Api, till: Account, moved: Transfer) -> None:
    body = reconcile(teller)

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
    assert difference(teller) == ("-20.00", "-20.00", "0.00")
    assert difference(teller, "safe") == ("20.00", "20.00", "0.00")


def test_period_has_its_own_opening_and_closing(teller: Api, till: Account, safe: Account) -> None:
    for day, amount in ((1, 5_00), (15, 7_00), (31, 9_00)):
        at = datetime(2026, 1, day, 23, 30, tzinfo=UTC)
        post_entry(deposit(f"d{day}", safe.ref, amount, at=at))
    transferred(till, safe, "30.00")

    january = reconcile(teller, "safe", startDate="2026-01-02", endDate="2026-01-30")
    after = reconcile(teller, "safe", startDate="2026-01-31", endDate="2026-01-31")

    assert (january["expected_balance"], january["actual_balance"]) == ("12.00", "12.00")
    assert (after["expected_balance"], after["transaction_count"]) == ("21.00", 0)
    assert january["balanced"]
    assert after["balanced"]


def test_days_are_the_merchants(teller: Api, shop: Merchant, till: Account, safe: Account) -> None:
    Merchant.objects.update(time_zone="Asia/Tokyo")
    at = datetime(2026, 1, 31, 15, 30, tzinfo=UTC)  # 1 February in Tokyo
    post_entry(deposit("d1", safe.ref, 5_00, at=at))

    january = reconcile(teller, "safe", startDate="2026-01-01", endDate="2026-01-31")
    february = reconcile(teller, "safe", startDate="2026-02-01", endDate="2026-02-01")

    assert (january["expected_balance"], february["expected_balance"]) == ("0.00", "5.00")


def test_transfer_that_waits_is_no_finding(teller: Api, till: Account, safe: Account) -> None:
    ask(till, safe, "30.00")

    body = reconcile(teller)

    assert (body["balanced"], body["transaction_count"]) == (True, 0)


# --- What is kept, and bad periods ---------------------------------------------------------


def test_reports_are_kept_as_they_were_found(teller: Api, till: Account, safe: Account) -> None:
    first = reconcile(teller)
    AccountBalance.objects.filter(account=till).update(credits=100_01)
    second = reconcile(teller)
    reconcile(teller, "safe")

    history = teller.get("/accounts/till/reconciliation-history").json()

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
    teller: Api, till: Account, period: dict[str, str], code: str
) -> None:
    posted = teller.post("/accounts/till/reconcile", period)
    asked = teller.get("/accounts/till/reconciliation-difference", **period)

    for response in (posted, asked):
        body = assert_problem(response, 422, code)
        if code == "invalid_request":
            assert all(error["pointer"].endswith("_date") for error in body["errors"])
    assert not AccountReport.objects.exists()


def test_difference_takes_both_spellings_and_no_other_parameter(teller: Api, till: Account) -> None:
    path = "/accounts/till/reconciliation-difference"
    days = {"start_date": "2026-01-01", "end_date": "2026-01-31"}

    assert teller.get(path, **days).json()["period"] == {"start": "2026-01-01", "end": "2026-01-31"}
    assert_problem(teller.get(path, **days, currency="EUR"), 400, "unknown_parameter")


def test_account_proof_covers_what_went_in_otherwise(teller: Api, till: Account) -> None:
    """A posting about no transfer counts for the balance and is no finding."""
    cash = deposit("d1", till.ref, 5_00, at=timezone.now())
    assert cash.lines == moves(cash.lines[0].account, till.ref, Money(5_00, "EUR"))
    post_entry(cash)

    body = reconcile(teller)

    assert (body["balanced"], body["actual_balance"]) == (True, "105.00")
    assert difference(teller) == ("0.00", "0.00", "0.00")
