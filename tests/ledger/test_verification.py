"""The verifier names what is wrong: entries, balances, day totals, floors."""

import pytest
from django.core.management import CommandError, call_command

from ledger.models import Seal
from ledger.services.posting import post_entries
from ledger.services.verification import Problem, verify_ledger
from tests.support.entries import transfer, wallet
from tests.support.forgery import Forge, entry, found, mend

pytestmark = pytest.mark.django_db


def test_books_that_hold_have_no_problems(unsealed: None) -> None:
    assert verify_ledger(is_full=True) == []
    call_command("verify_ledger", "--full")


def test_sealed_books_that_hold_have_no_problems(sealed: None) -> None:
    assert list(Seal.objects.order_by("number").values_list("entry_count", flat=True)) == [3, 3, 3]
    assert verify_ledger(is_full=True) == verify_ledger() == []


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
        (
            "UPDATE ledger_posting SET account_id = 0 WHERE amount = 10 AND position = 1",
            "names no account",
        ),
    ],
)
def test_a_forged_entry_is_named(
    unsealed: None, forge: Forge, statement: str, message: str
) -> None:
    first = entry("d1")

    forge(statement)

    problem = verify_ledger()[0]
    assert (problem.check, problem.entry_id) == ("entry", first.pk)
    assert problem.subject in (first.public_id, f"#{first.pk}")
    assert message in problem.message
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger")


def test_an_entry_where_nothing_else_looks_is_named(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_journalentry SET id = -5 WHERE idempotency_key = 'd1'")
    forge("UPDATE ledger_posting SET entry_id = -5 WHERE amount = 10")

    assert found()[0] == ("entry", entry("d1").public_id)


@pytest.mark.parametrize("is_full", [True, False])
def test_a_forged_balance_is_named(unsealed: None, forge: Forge, is_full: bool) -> None:
    forge("UPDATE ledger_accountbalance SET credits = credits + 1 WHERE credits = 10")

    assert verify_ledger(is_full=is_full) == [
        Problem(
            "balance",
            "a",
            "debits 0 and credits 11 are kept, 0 and 10 were posted",
        )
    ]


@pytest.mark.parametrize("is_full", [True, False])
def test_a_forged_balance_of_sealed_books_is_named(
    sealed: None, forge: Forge, is_full: bool
) -> None:
    forge("UPDATE ledger_accountbalance SET debits = debits + 1 WHERE debits = 550")

    (problem,) = verify_ledger(is_full=is_full)

    assert (problem.check, problem.subject) == ("balance", "cash:EUR")
    assert problem.message == "debits 551 and credits 0 are kept, 550 and 0 were posted"


def test_a_forged_day_total_is_named(sealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_daytotal SET credits = credits + 1 WHERE credits > 0")

    assert found() == [("day total", "a"), ("month total", "a")]
    assert [problem.check for problem in verify_ledger()] == ["balance", "month total"]


@pytest.mark.parametrize("is_full", [True, False])
def test_a_forged_month_total_is_named(sealed: None, forge: Forge, is_full: bool) -> None:
    forge("UPDATE ledger_monthtotal SET credits = credits + 1 WHERE credits > 0")

    (problem,) = verify_ledger(is_full=is_full)

    assert (problem.check, problem.subject) == ("month total", "a")
    assert problem.message.endswith("debits 0 and credits 451 are kept, its days have 0 and 450")


def test_a_pending_total_without_its_hold_is_named(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_accountbalance SET pending_debits = 3 WHERE credits = 10")

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("pending", "a")
    assert problem.message == "debits 3 and credits 0 are pending, open holds keep 0"


def test_a_broken_floor_is_named(unsealed: None, forge: Forge) -> None:
    post_entries([transfer("t1", wallet("a"), wallet("b"), 10)])
    forge("UPDATE ledger_posting SET amount = 11 WHERE entry_id = %s", entry("t1").pk)
    mend(forge)

    assert ("floor", "a") in found()


def test_a_change_that_balances_is_found_before_it_is_sealed(unsealed: None, forge: Forge) -> None:
    forge("UPDATE ledger_posting SET amount = 11 WHERE amount = 10")
    mend(forge)

    (problem,) = verify_ledger()

    assert (problem.check, problem.subject) == ("fingerprint", entry("d1").public_id)


def test_an_entry_that_was_moved_to_an_open_period_is_as_it_was_asked(
    unsealed: None, forge: Forge
) -> None:
    forge(
        "UPDATE ledger_journalentry SET late_from = effective_at,"
        " effective_at = effective_at + interval '9 days' WHERE idempotency_key = 'd1'"
    )

    assert verify_ledger() == []
