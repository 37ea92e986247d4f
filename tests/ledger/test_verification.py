"""The proof finds what was forged behind the triggers' back."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ledger.models import JournalEntry
from ledger.services.posting import post_entries
from ledger.services.verification import verify_ledger
from tests.support.entries import deposit, wallet

pytestmark = pytest.mark.django_db

Forge = Callable[[str], None]


@pytest.fixture
def forge() -> Forge:
    """Run SQL as somebody who switched the triggers off."""
    post_entries([deposit("d1", wallet("a"), 10), deposit("d2", wallet("b"), 20)])

    def run(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)
            cursor.execute("SET LOCAL session_replication_role = origin")

    return run


def first_entry() -> JournalEntry:
    return JournalEntry.objects.order_by("pk")[0]


def test_books_that_hold_have_no_problems(forge: Forge) -> None:
    assert verify_ledger(is_full=True) == []
    call_command("verify_ledger", "--full")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE ledger_posting SET amount = 11 WHERE amount = 10 AND direction = 'debit'",
            "debits are not credits",
        ),
        ("DELETE FROM ledger_posting WHERE amount = 10 AND position = 1", "1 postings of 2"),
        ("DELETE FROM ledger_posting WHERE amount = 10", "it has no postings"),
        ("DELETE FROM ledger_journalentry WHERE idempotency_key = 'd1'", "have no entry"),
    ],
)
def test_a_forged_entry_is_named(forge: Forge, statement: str, message: str) -> None:
    entry = first_entry()

    forge(statement)

    problem = verify_ledger()[0]
    assert problem.check == "entry"
    assert problem.subject in (entry.public_id, f"#{entry.pk}")
    assert message in problem.message
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger")


def test_a_forged_balance_is_named(forge: Forge) -> None:
    forge("UPDATE ledger_accountbalance SET credits = credits + 1 WHERE credits = 10")

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("balance", "a")


def test_a_change_that_balances_is_found_by_the_full_proof(forge: Forge) -> None:
    forge("UPDATE ledger_posting SET amount = 11 WHERE amount = 10")
    forge("UPDATE ledger_accountbalance SET credits = 11 WHERE credits = 10")
    forge("UPDATE ledger_accountbalance SET debits = 31 WHERE debits = 30")

    assert verify_ledger() == []
    (problem,) = verify_ledger(is_full=True)
    assert (problem.check, problem.subject) == ("fingerprint", first_entry().public_id)
