"""GET /transactions/{id}/verify-double-entry shows the postings as they are."""

import pytest

from ledger.models import Account
from payments.models import Transfer
from tests.support.api import Api
from tests.support.transfers import ask, tamper

pytestmark = pytest.mark.django_db


def test_double_entry_is_shown_from_the_postings(
    teller: Api, moved: Transfer, till: Account, safe: Account
) -> None:
    path = f"/transactions/{moved.public_id}/verify-double-entry"
    got, posted = teller.get(path), teller.post(path, "", key=None)

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


def test_double_entry_that_was_forged_is_not_balanced(teller: Api, moved: Transfer) -> None:
    tamper("UPDATE ledger_posting SET amount = 3100 WHERE amount = 3000 AND direction = 'debit'")

    body = teller.get(f"/transactions/{moved.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["debits"], body["credits"]) == (False, "31.00", "30.00")


def test_completed_without_an_entry_is_not_balanced(teller: Api, moved: Transfer) -> None:
    tamper(
        "UPDATE ledger_journalentry SET reference = 'x' WHERE public_id = %s", moved.journal_entry
    )

    body = teller.get(f"/transactions/{moved.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["debits"], body["entries"]) == (False, "0.00", [])


def test_transfer_that_waits_has_no_entries(teller: Api, till: Account, safe: Account) -> None:
    waiting = ask(till, safe, "30.00")

    body = teller.get(f"/transactions/{waiting.public_id}/verify-double-entry").json()

    assert (body["balanced"], body["status"], body["entries"]) == (True, "ACCEPTED", [])
