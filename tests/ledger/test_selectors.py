"""Reads: balances at any moment, of both clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.selectors import (
    available_of,
    balance_of,
    balances_of,
    is_final,
    trial_balance,
    trial_balance_accounts,
)
from ledger.services.accounts import open_account
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.history import post_at, seal_up_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture(params=["nothing sealed", "half sealed", "all sealed", "sealed one by one"])
def story(request: pytest.FixtureRequest) -> Account:
    """Wallet `a` gets 100.00 on the 2nd; 30.00 leave on the 4th; on the 6th it is found that 5.00
    left on the 3rd. Everything else is posted at noon of the day it takes effect."""
    a, b = wallet("a"), wallet("b")
    ids = [
        *post_at(NOON, [deposit("in", a, 10_000), deposit("other", b, 7)]),
        *post_at(NOON + 2 * DAY, [transfer("out", a, b, 3_000, at=NOON + 2 * DAY)]),
        *post_at(NOON + 4 * DAY, [transfer("late", a, b, 500, at=NOON + DAY)]),
        *post_at(NOON + 5 * DAY, [deposit("more", a, 1, at=NOON + 5 * DAY)]),
    ]
    sealed = {
        "nothing sealed": [],
        "half sealed": [ids[2]],
        "all sealed": [ids[-1]],
        "sealed one by one": ids,
    }
    for entry_id in sealed[request.param]:
        seal_up_to(entry_id)
    return Account.objects.get(code="a")


def test_back_dated_entry_changes_what_was_effective_and_not_what_was_known(story: Account) -> None:
    days = [NOON + n * DAY for n in range(6)]

    assert [balance_of(story, as_of=day).amount for day in days] == [
        *(10_000, 9_500, 6_500, 6_500, 6_500, 6_501)
    ]
    assert [balance_of(story, known_at=day).amount for day in days] == [
        *(10_000, 10_000, 7_000, 7_000, 6_500, 6_501)
    ]
    assert balance_of(story) == Money(6_501, "EUR")


def test_both_moments_tell_what_was_known_then_about_an_earlier_day(story: Account) -> None:
    third = NOON + DAY

    known = [balance_of(story, as_of=third, known_at=NOON + n * DAY).amount for n in range(6)]

    assert known == [10_000, 10_000, 10_000, 10_000, 9_500, 9_500]


def test_moments_include_themselves_and_nothing_after(story: Account) -> None:
    late = NOON + 4 * DAY

    assert balance_of(story, as_of=NOON - INSTANT) == Money(0, "EUR")
    assert balance_of(story, as_of=NOON) == Money(10_000, "EUR")
    assert balance_of(story, known_at=late - INSTANT) == Money(7_000, "EUR")
    assert balance_of(story, known_at=late) == Money(6_500, "EUR")


@pytest.mark.parametrize("hours", [-12, 0, 11, 12, 13, 36])
def test_ends_of_days_are_moments_like_others(story: Account, hours: int) -> None:
    """Noon of the 4th and the midnights around it, one instant more or less."""
    moment = NOON + 2 * DAY + timedelta(hours=hours)
    has_left = hours > 0

    before = balance_of(story, as_of=moment - INSTANT)
    after = balance_of(story, as_of=moment + INSTANT)

    assert before.amount == (6_500 if has_left else 9_500)
    assert after.amount == (6_500 if hours >= 0 else 9_500)


def test_moment_may_be_told_in_any_zone(story: Account) -> None:
    tokyo = (NOON + 2 * DAY).astimezone(datetime.strptime("+0900", "%z").tzinfo)

    assert balance_of(story, as_of=tokyo) == Money(6_500, "EUR")
    assert balance_of(story, as_of=tokyo - INSTANT) == Money(9_500, "EUR")


def test_end_of_time_and_its_beginning_are_moments_too(story: Account) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert balance_of(story, as_of=last, known_at=last) == Money(6_501, "EUR")
    assert balance_of(story, as_of=first) == balance_of(story, known_at=first) == Money(0, "EUR")


def test_moment_without_a_zone_is_refused(story: Account) -> None:
    naive = datetime(2026, 3, 2)

    for ask in (balance_of, balances_of):
        subject = story if ask is balance_of else [story]
        with pytest.raises(ValueError, match="no time zone"):
            ask(subject, as_of=naive)
        with pytest.raises(ValueError, match="no time zone"):
            ask(subject, known_at=naive)
    with pytest.raises(ValueError, match="no time zone"):
        is_final(naive)
    with pytest.raises(ValueError, match="no time zone"):
        trial_balance(as_of=naive)


def test_balances_of_many_accounts_come_together(story: Account) -> None:
    a, b, cash = (Account.objects.get(code=code) for code in ("a", "b", "cash:EUR"))

    now = balances_of([cash, a, b, a])
    then = balances_of(Account.objects.all(), as_of=NOON + DAY)

    assert [now[row.pk].amount for row in (a, b, cash)] == [6_501, 3_507, 10_008]
    assert [then[row.pk].amount for row in (a, b, cash)] == [9_500, 507, 10_007]
    assert balances_of([]) == {}


def test_balance_reads_once_whatever_is_asked(
    story: Account, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for moments in ({}, {"as_of": NOON}, {"known_at": NOON}, {"as_of": NOON, "known_at": NOON}):
        with django_assert_num_queries(1):
            balances_of([story], **moments)


def test_trial_balance_at_a_moment(story: Account) -> None:
    then = NOON + DAY

    assert [row.debits.amount for row in trial_balance()] == [10_008 + 3_000 + 500]
    assert [row.debits.amount for row in trial_balance(as_of=then)] == [10_007 + 500]
    assert [row.debits.amount for row in trial_balance(known_at=then)] == [10_007]
    assert [row.accounts for row in trial_balance(as_of=then)] == [3]
    assert trial_balance(as_of=NOON - INSTANT) == []
    assert all(row.is_balanced for row in trial_balance(as_of=then, known_at=then))
    assert {row.code: row.balance.amount for row in trial_balance_accounts(as_of=then)} == {
        "a": 9_500,
        "b": 507,
        "cash:EUR": 10_007,
    }


def test_what_is_known_is_final_once_it_is_sealed() -> None:
    assert not is_final(NOON)

    (last,) = post_at(NOON, [deposit("d", wallet("a"), 1)])
    assert not is_final(NOON)
    seal_up_to(last)

    assert is_final(NOON)
    assert is_final(NOON - DAY)
    assert not is_final(NOON + INSTANT)


def test_available_is_what_holds_leave() -> None:
    post_at(NOON, [deposit("d", wallet("a"), 100)])
    account = Account.objects.get(code="a")
    AccountBalance.objects.filter(account=account).update(pending_debits=30)

    assert available_of(account) == Money(70, "EUR")
    assert balance_of(account) == Money(100, "EUR")


def test_account_that_never_moved_has_nothing() -> None:
    post_at(NOON, [deposit("d", wallet("a"), 100)])
    account = open_account(AccountRef("new", AccountType.ASSET, "JPY"))

    assert balance_of(account) == balance_of(account, as_of=NOON) == Money(0, "JPY")


NAMES = ("x", "y", "z")
HOURS = st.integers(-60, 60)
movements = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 9), HOURS, HOURS
    ).filter(lambda drawn: drawn[0] != drawn[1]),
    min_size=1,
    max_size=14,
)


def free(name: str) -> AccountRef:
    return AccountRef(name, AccountType.LIABILITY, "EUR")


def at(hours: int) -> datetime:
    return NOON + timedelta(hours=hours)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    movements=movements,
    sealed=st.sets(st.integers(0, 13)),
    as_of=st.none() | HOURS,
    known_at=st.none() | HOURS,
)
def test_any_balance_at_any_moment_is_the_plain_sum(
    movements: list[tuple[str, str, int, int, int]],
    sealed: set[int],
    as_of: int | None,
    known_at: int | None,
) -> None:
    """However the journal was sealed, and in whatever order it was written."""
    expected = dict.fromkeys(NAMES, 0)
    turnover = 0
    with transaction.atomic():
        for number, (source, target, amount, effective, posted) in enumerate(movements):
            lines = moves(free(source), free(target), Money(amount, "EUR"))
            (entry_id,) = post_at(at(posted), [Entry(f"k{number}", "t", "r", at(effective), lines)])
            if number in sealed:
                seal_up_to(entry_id)
            if (as_of is None or effective <= as_of) and (known_at is None or posted <= known_at):
                expected[source] -= amount
                expected[target] += amount
                turnover += amount

        accounts = {row.pk: row for row in Account.objects.filter(code__in=NAMES)}
        moments = {
            "as_of": None if as_of is None else at(as_of),
            "known_at": None if known_at is None else at(known_at),
        }
        found = balances_of(accounts.values(), **moments)

        assert {accounts[key].code: money.amount for key, money in found.items()} == {
            row.code: expected[row.code] for row in accounts.values()
        }
        assert sum(row.debits.amount for row in trial_balance(**moments)) == turnover
        assert {
            row.code: row.balance.amount for row in trial_balance_accounts(**moments)
        }.items() <= (expected.items())
        transaction.set_rollback(True)
