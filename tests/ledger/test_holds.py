"""Money set aside: taken in parts, given back, never taken twice and never by anybody else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import DomainError, Invalid
from ledger.models import Account, AccountBalance, AuditEvent, Hold, HoldCapture, JournalEntry
from ledger.money import Money
from ledger.services.holds import (
    CaptureExceedsHold,
    CaptureOfAnotherAccount,
    HoldClash,
    HoldEnded,
    HoldExpired,
    HoldNotFound,
    InsufficientFunds,
    capture_hold,
    expire_holds,
    place_hold,
    void_hold,
)
from ledger.services.posting import EntryRefused, post_entries, post_entry
from tests.support.entries import NOON, balance, deposit, funded, transfer, wallet
from tests.support.refusals import constraint_of, journal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

SOURCE, TARGET = wallet("a"), wallet("b")
SUPPLIES = AccountRef("supplies", AccountType.EXPENSE, "EUR")
ACTOR = Actor.system("test")


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def held(amount: int, *, of: int = 100, key: str = "h1", expires_at: datetime | None = None) -> str:
    """The id of a hold of `amount` on a wallet with `of` in it."""
    if not Account.objects.filter(code=SOURCE.code).exists():
        funded(SOURCE, of)
    return place_hold(
        SOURCE, eur(amount), idempotency_key=key, reference="order-1", expires_at=expires_at
    ).public_id


def take(amount: int, *, key: str = "c1") -> Entry:
    return transfer(key, SOURCE, TARGET, amount)


def money_of(account: str = "a") -> tuple[int, int, int]:
    """Posted, pending and available, in minor units."""
    row = AccountBalance.objects.select_related("account").get(account__code=account)
    return row.money.amount, row.pending_money.amount, row.available_money.amount


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


def test_capture_of_all_ends_the_hold() -> None:
    hold = held(60)

    capture = capture_hold(hold, take(60))

    assert (capture.hold.status, capture.amount, capture.hold.captured) == ("CAPTURED", 60, 60)
    assert capture.hold.ended_at is not None
    assert money_of() == (40, 0, 40)
    assert money_of("b") == (60, 0, 60)


def test_partial_captures_take_up_to_the_rest() -> None:
    hold = held(60)

    capture_hold(hold, take(25, key="c1"))
    assert money_of() == (75, 35, 40)
    capture_hold(hold, take(30, key="c2"))
    assert money_of() == (45, 5, 40)
    last = capture_hold(hold, take(5, key="c3"))

    assert money_of() == (40, 0, 40)
    assert (last.hold.status, last.hold.captured) == ("CAPTURED", 60)
    assert list(HoldCapture.objects.values_list("amount", flat=True)) == [25, 30, 5]


def test_final_capture_gives_the_rest_back() -> None:
    capture = capture_hold(held(60), take(25), is_final=True)

    assert (capture.hold.status, capture.hold.captured) == ("CAPTURED", 25)
    assert money_of() == (75, 0, 75)


def test_capture_may_spread_over_several_accounts() -> None:
    """The merchant gets 57, we keep 3: the hold only cares what leaves its account."""
    hold, fees = held(60), wallet("fees")
    lines = (*moves(SOURCE, TARGET, eur(57)), *moves(SOURCE, fees, eur(3)))

    capture_hold(hold, Entry("c1", "capture", "order-1", NOON, lines))

    assert (money_of(), balance(TARGET), balance(fees)) == ((40, 0, 40), 57, 3)


def test_no_more_can_be_captured_than_is_left() -> None:
    """blnk #62: a commit of more than was held went through."""
    hold = held(60)
    capture_hold(hold, take(50))
    before = journal()

    with pytest.raises(CaptureExceedsHold):
        capture_hold(hold, take(11, key="c2"))

    assert journal() == before
    assert money_of() == (50, 10, 40)


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


@pytest.mark.parametrize("ending", ["captured", "voided", "expired"])
def test_ended_hold_keeps_nothing_pending_and_cannot_be_captured(ending: str) -> None:
    """blnk #293: what had ended was still reported as inflight."""
    hold = held(60, expires_at=NOON)
    if ending == "captured":
        Hold.objects.update(expires_at=None)
        capture_hold(hold, take(60))
    elif ending == "voided":
        void_hold(hold, actor=ACTOR)
    else:
        assert expire_holds() == 1
    posted = money_of()[0]

    with pytest.raises(HoldEnded):
        capture_hold(hold, take(1, key="c2"))

    assert Hold.objects.get().remaining == eur(0)
    assert money_of() == (posted, 0, posted)


def test_refused_hold_leaves_no_trace_and_cannot_be_captured() -> None:
    """blnk #182: a rejected hold could be committed and overdrew the balance."""
    funded(SOURCE, 100)
    before = journal()

    with pytest.raises(InsufficientFunds):
        held(101)
    with pytest.raises(HoldNotFound):
        capture_hold("hold_of_nobody", take(101))

    assert not Hold.objects.exists()
    assert journal() == before


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


def test_same_capture_again_is_the_same_capture() -> None:
    hold = held(60)

    first, again = capture_hold(hold, take(60)), capture_hold(hold, take(60))

    assert first == again
    assert money_of() == (40, 0, 40)


def test_other_capture_under_the_same_key_is_refused() -> None:
    first, second = held(30, key="h1"), held(30, key="h2")
    capture_hold(first, take(20))

    for hold, entry in ((first, take(10)), (second, take(20))):
        with pytest.raises(DomainError) as refusal:
            capture_hold(hold, entry)
        assert refusal.value.code == "idempotency_conflict"

    assert money_of() == (80, 40, 40)


def test_entry_that_was_posted_by_itself_captures_nothing() -> None:
    hold = held(30)
    post_entry(take(20))

    with pytest.raises(HoldClash):
        capture_hold(hold, take(20))

    assert money_of() == (80, 30, 50)


def test_capture_that_the_ledger_refuses_changes_nothing() -> None:
    hold = held(60)
    wrong = wallet("b", currency="USD")
    post_entry(deposit("d1", wrong, 5))
    before = journal()

    with pytest.raises(EntryRefused) as refusal:
        capture_hold(hold, take(10))

    assert refusal.value.code == "currency_mismatch"
    assert journal() == before
    assert money_of() == (100, 60, 40)


def test_entry_that_takes_nothing_from_the_account_is_no_capture() -> None:
    hold = held(60)

    with pytest.raises(CaptureOfAnotherAccount):
        capture_hold(hold, deposit("d1", SOURCE, 5))

    assert money_of() == (100, 60, 40)


@pytest.mark.parametrize("money", [eur(0), eur(-5), Money(5, "USD")])
def test_what_cannot_be_held(money: Money) -> None:
    with pytest.raises(Invalid):
        place_hold(SOURCE, money, idempotency_key="h1", reference="r")

    assert not Account.objects.exists()


def test_expired_hold_cannot_be_captured_even_before_it_is_swept() -> None:
    hold = held(60, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(HoldExpired):
        capture_hold(hold, take(60))

    assert money_of() == (100, 60, 40)


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


def test_partly_captured_hold_expires_with_its_rest() -> None:
    hold = held(60, expires_at=datetime.now(UTC) + timedelta(hours=1))
    capture_hold(hold, take(20))

    expire_holds(now=datetime.now(UTC) + timedelta(hours=2))

    assert money_of() == (80, 0, 80)
    assert Hold.objects.get().captured == 20


def test_database_refuses_to_change_a_hold_or_its_captures() -> None:
    capture_hold(held(60), take(20))

    for attempt in (
        lambda: Hold.objects.update(amount=61),
        lambda: Hold.objects.update(captured=61),
        lambda: Hold.objects.update(status="GONE"),
        lambda: Hold.objects.update(status="VOIDED"),  # without an end
        lambda: HoldCapture.objects.update(amount=19),
        lambda: HoldCapture.objects.all()._raw_delete("default"),
        lambda: Hold.objects.all()._raw_delete("default"),
        lambda: AccountBalance.objects.update(pending_debits=-1),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()

    assert money_of() == (80, 40, 40)
