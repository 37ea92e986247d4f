"""Holds are captured, in parts or whole, and never more than they hold."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from ledger.entries import Entry, moves
from ledger.errors import DomainError
from ledger.models import AccountBalance, Hold, HoldCapture
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
    void_hold,
)
from ledger.services.posting import EntryRefused, post_entry
from tests.support.entries import NOON, balance, deposit, funded, wallet
from tests.support.holds import ACTOR, SOURCE, TARGET, eur, held, money_of, take
from tests.support.refusals import journal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


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


def test_expired_hold_cannot_be_captured_even_before_it_is_swept() -> None:
    hold = held(60, expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(HoldExpired):
        capture_hold(hold, take(60))

    assert money_of() == (100, 60, 40)


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
