"""Holds reserve money, and give it back when they are voided or expire."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import Invalid
from ledger.models import Account, AccountBalance, AuditEvent, Hold, JournalEntry
from ledger.money import Money
from ledger.services.holds import (
    HoldClash,
    HoldEnded,
    InsufficientFunds,
    capture_hold,
    expire_holds,
    place_hold,
    void_hold,
)
from ledger.services.posting import post_entries, post_entry
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.holds import ACTOR, SOURCE, TARGET, eur, held, money_of, take
from tests.support.refusals import constraint_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
SUPPLIES = AccountRef("supplies", AccountType.EXPENSE, "EUR")


def test_hold_makes_money_unavailable_and_moves_none() -> None:
    hold = Hold.objects.get(public_id=held(60))

    assert money_of() == (100, 60, 40)
    assert (hold.status, hold.remaining, hold.captured) == ("HELD", eur(60), 0)
    assert not JournalEntry.objects.filter(kind="transfer").exists()


def test_what_is_held_is_not_there_for_anybody_else() -> None:
    held(60)

    refused, posted = post_entries([transfer("t1", SOURCE, TARGET, 41), take(40, key="t2")])

    assert (refused.code, posted.status) == ("insufficient_funds", "posted")
    assert money_of() == (60, 60, 0)


def test_floor_in_the_database_counts_what_is_held() -> None:
    held(60)

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        AccountBalance.objects.filter(account__code="a").update(debits=41)

    assert constraint_of(refusal.value) == "ledger_balance_floor"
    assert money_of() == (100, 60, 40)


def test_void_gives_back_what_is_left_and_says_who_did_it() -> None:
    hold = held(60)
    capture_hold(hold, take(20))

    void_hold(hold, actor=ACTOR, reason="The customer went away")

    assert money_of() == (80, 0, 80)
    event = AuditEvent.objects.get(subject=hold)
    assert (event.action, event.reason) == ("hold.voided", "The customer went away")


def test_hold_cannot_be_voided_twice() -> None:
    """blnk #41: the second void gave the money back again."""
    hold = held(60)
    void_hold(hold, actor=ACTOR)

    with pytest.raises(HoldEnded):
        void_hold(hold, actor=ACTOR)

    assert money_of() == (100, 0, 100)


def test_refused_hold_does_not_open_its_account() -> None:
    with pytest.raises(InsufficientFunds):
        place_hold(wallet("new"), eur(1), idempotency_key="h1", reference="r")

    assert not Account.objects.filter(code="new").exists()


def test_holds_together_cannot_exceed_the_balance() -> None:
    held(60, key="h1")
    held(40, key="h2")

    with pytest.raises(InsufficientFunds):
        held(1, key="h3")

    assert money_of() == (100, 100, 0)


def test_account_without_a_floor_may_be_held_beyond_its_balance() -> None:
    open_end = wallet("credit", floor=None)

    place_hold(open_end, eur(500), idempotency_key="h1", reference="r")

    assert money_of("credit") == (0, 500, -500)


def test_hold_on_an_account_that_grows_by_debits_reserves_its_credits() -> None:
    """Cash that is set aside for a supplier."""
    post_entry(deposit("d1", wallet("w"), 100))
    cash = Account.objects.get(code="cash:EUR").ref

    hold = place_hold(cash, eur(70), idempotency_key="h1", reference="bill-1")
    row = AccountBalance.objects.select_related("account").get(account__code="cash:EUR")
    assert (row.pending_debits, row.pending_credits, row.available_money) == (0, 70, eur(30))
    bill = Entry("c1", "bill", "bill-1", NOON, moves(SUPPLIES, cash, eur(70)))
    capture_hold(hold.public_id, bill)

    assert money_of("cash:EUR") == (30, 0, 30)


def test_same_hold_again_is_the_same_hold() -> None:
    assert held(60) == held(60)
    assert money_of() == (100, 60, 40)


def test_other_hold_under_the_same_key_is_refused() -> None:
    held(60)

    with pytest.raises(HoldClash):
        held(61)
    with pytest.raises(HoldClash):
        place_hold(wallet("x", floor=None), eur(60), idempotency_key="h1", reference="order-1")

    assert money_of() == (100, 60, 40)


@pytest.mark.parametrize("money", [eur(0), eur(-5), Money(5, "USD")])
def test_what_cannot_be_held(money: Money) -> None:
    with pytest.raises(Invalid):
        place_hold(SOURCE, money, idempotency_key="h1", reference="r")

    assert not Account.objects.exists()


def test_expiry_gives_back_what_is_due_and_nothing_else() -> None:
    due = held(10, key="h1", expires_at=NOON)
    capture_late = held(20, key="h2", expires_at=NOON + timedelta(hours=1))
    endless = held(30, key="h3")

    assert expire_holds(now=NOON) == 1
    assert expire_holds(now=NOON) == 0

    assert dict(Hold.objects.values_list("public_id", "status")) == {
        due: "EXPIRED",
        capture_late: "HELD",
        endless: "HELD",
    }
    assert money_of() == (100, 50, 50)
