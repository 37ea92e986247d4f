"""POST /accounts/{id}/reconcile finds what was forged behind the ledger's back."""

import pytest
from django.utils import timezone

from ledger.models import Account, AccountBalance
from ledger.services.posting import post_entry
from payments.models import Merchant, Transfer
from tests.support.api import Api
from tests.support.books import assert_books_balance
from tests.support.entries import transfer
from tests.support.tills import difference, reconcile
from tests.support.transfers import purse, tamper

pytestmark = pytest.mark.django_db


def test_entry_that_was_deleted_is_missing(teller: Api, moved: Transfer) -> None:
    entry = "(SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(f"DELETE FROM ledger_posting WHERE entry_id = {entry}", moved.journal_entry)
    tamper("DELETE FROM ledger_journalentry WHERE public_id = %s", moved.journal_entry)

    body = reconcile(teller)

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
    assert difference(teller) == ("10.00", "-20.00", "30.00")


def test_amount_that_was_changed_does_not_match(teller: Api, moved: Transfer) -> None:
    """On both sides and with its balances, so that every total of the books still agrees."""
    entry = "entry_id = (SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(f"UPDATE ledger_posting SET amount = 3000000 WHERE {entry}", moved.journal_entry)
    tamper("UPDATE ledger_account SET floor = NULL WHERE code IN ('till', 'safe')")
    for code, side in (("till", "debits"), ("safe", "credits")):
        tamper(
            f"UPDATE ledger_accountbalance SET {side} = {side} + 2997000"
            " WHERE account_id = (SELECT id FROM ledger_account WHERE code = %s)",
            code,
        )
    assert_books_balance()

    body = reconcile(teller, "safe")

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
    assert difference(teller, "safe") == ("29990.00", "20.00", "29970.00")


def test_side_that_was_turned_does_not_match(teller: Api, moved: Transfer) -> None:
    entry = "entry_id = (SELECT id FROM ledger_journalentry WHERE public_id = %s)"
    tamper(
        "UPDATE ledger_posting SET direction ="
        f" CASE direction WHEN 'debit' THEN 'credit' ELSE 'debit' END WHERE {entry}",
        moved.journal_entry,
    )

    found = reconcile(teller)["discrepancies"]

    assert [each["type"] for each in found] == ["AMOUNT_MISMATCH", "BALANCE_MISMATCH"]
    assert (found[0]["expected"], found[0]["actual"]) == ("-30.00", "30.00")


def test_entry_without_a_transfer_is_an_orphan(
    teller: Api, moved: Transfer, till: Account, safe: Account
) -> None:
    forged = transfer("forged", till.ref, safe.ref, 5_00, at=timezone.now())
    result = post_entry(forged)

    body = reconcile(teller)

    assert body["discrepancies"] == [
        {
            "type": "ORPHAN_LEDGER_ENTRY",
            "transaction_id": "ref-forged",
            "journal_entry_id": result.public_id,
            "amount": "-5.00",
            "severity": "HIGH",
        }
    ]


def test_transfer_that_is_no_longer_completed_leaves_an_orphan(
    teller: Api, moved: Transfer
) -> None:
    journal_entry = moved.journal_entry
    Transfer.objects.filter(pk=moved.pk).update(status="FAILED", journal_entry="")

    (found,) = reconcile(teller)["discrepancies"]

    assert (found["type"], found["journal_entry_id"]) == ("ORPHAN_LEDGER_ENTRY", journal_entry)


def test_transfer_moved_to_other_accounts_is_an_orphan_here_and_missing_there(
    teller: Api, shop: Merchant, moved: Transfer
) -> None:
    third = purse(shop, "third", "0.00")
    Transfer.objects.filter(pk=moved.pk).update(destination_account=third)

    (here,) = reconcile(teller, "safe")["discrepancies"]
    (there,) = reconcile(teller, "third")["discrepancies"]

    assert (here["type"], there["type"]) == ("ORPHAN_LEDGER_ENTRY", "MISSING_LEDGER_ENTRY")


def test_balance_that_was_changed_is_found_in_any_period(teller: Api, till: Account) -> None:
    AccountBalance.objects.filter(account=till).update(credits=100_01)

    today = reconcile(teller)
    past = reconcile(teller, startDate="2026-01-01", endDate="2026-01-31")

    for body, expected, actual in ((today, "100.00", "100.01"), (past, "0.00", "0.01")):
        (found,) = body["discrepancies"]
        assert found["type"] == "BALANCE_MISMATCH"
        assert (body["expected_balance"], body["actual_balance"]) == (expected, actual)
