"""A batch does what its entries would do one by one, whatever they are."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import DomainError
from ledger.models import AccountGroup, AccountingPeriod, Hold
from ledger.money import Money
from ledger.services import holds, posting
from ledger.services.posting import Result, post_entries
from tests.support.books import assert_books_balance
from tests.support.slow_ledger import SlowLedger, assert_same_as

ACTOR = Actor.system("test")
MONTHS = [datetime(2025, month, 1, tzinfo=UTC) for month in range(1, 5)]
MOMENTS = [datetime(2025, month, 15, 12, tzinfo=UTC) for month in range(1, 5)]

# Few accounts, small amounts and few keys, so that floors, replays and clashes are common.
EUROS = [
    AccountRef("free", AccountType.LIABILITY, "EUR", "m"),
    AccountRef("empty", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("credit line", AccountType.LIABILITY, "EUR", "m", floor=-20),
    AccountRef("till", AccountType.ASSET, "EUR", "", floor=0),
    AccountRef("cost", AccountType.EXPENSE, "EUR", ""),
    AccountRef("tax:paid", AccountType.ASSET, "EUR", "m"),
    # Names of the others, said wrong: refused, unless they come first.
    AccountRef("empty", AccountType.ASSET, "EUR", "m", floor=0),
    AccountRef("free", AccountType.LIABILITY, "EUR", "m", floor=-5),
    # Against the chart: refused even then.
    AccountRef("tax:due", AccountType.INCOME, "EUR", "m"),
]
FREE = EUROS[4]
CHART = {"tax:": AccountType.ASSET}
DOLLARS = [
    AccountRef("reserve", AccountType.LIABILITY, "USD", "m", floor=0),
    AccountRef("till", AccountType.ASSET, "USD", "us"),
    AccountRef("cost", AccountType.EXPENSE, "USD", ""),
    AccountRef("empty", AccountType.LIABILITY, "USD", "m", floor=0),
]

# Something to hold and to spend.
OPENING = [
    Entry(f"opening {n}", "test", "ref", MOMENTS[-1], moves(*pair, Money(30, currency)))
    for n, (pair, currency) in enumerate(
        [
            ((EUROS[4], EUROS[1]), "EUR"),
            ((EUROS[4], EUROS[2]), "EUR"),
            ((EUROS[3], EUROS[0]), "EUR"),
            ((DOLLARS[1], DOLLARS[0]), "USD"),
        ]
    )
]

keys = st.integers(0, 15)
hold_keys = st.integers(0, 3)
# Round ones, so that what is asked is often just what is there, or held.
amounts = st.sampled_from([10, -10, 20, -20, 30, -30, 1, -7])


def moves_among(accounts: list[AccountRef]) -> st.SearchStrategy:
    account = st.sampled_from(accounts)
    money = amounts.map(lambda amount: Money(amount, accounts[0].currency))
    return st.tuples(account, account, money).map(lambda drawn: moves(*drawn))


entry = st.builds(
    lambda key, groups, moment, moves_if_late: Entry(
        f"k{key}", "test", "ref", moment, sum(groups, ()), moves_if_late=moves_if_late
    ),
    keys,
    st.lists(
        moves_among(EUROS[:3]) | moves_among(EUROS) | moves_among(DOLLARS), min_size=1, max_size=3
    ),
    st.sampled_from(MOMENTS),
    st.booleans(),
)
hold = st.tuples(
    st.just("hold"),
    hold_keys,
    st.sampled_from(EUROS[1:3] * 4 + EUROS + DOLLARS),
    st.sampled_from([10, 20, 30, 3]),
)
batch = st.tuples(st.just("post"), st.lists(entry, max_size=8))
step = st.one_of(
    batch,
    batch,
    hold,
    st.tuples(st.just("spend"), keys, st.sampled_from(EUROS[:4]), st.booleans(), st.integers(0, 1)),
    st.tuples(st.just("capture"), hold_keys, entry, st.booleans()),
    st.tuples(st.just("void"), hold_keys),
    st.just(("close",)),
)


def outcomes(results: list[Result]) -> list[str]:
    return [result.code or str(result.status) for result in results]


def outcome(done: str, action: Callable[[], Any]) -> str:
    """`done`, or the code of what it was refused with."""
    try:
        action()
    except DomainError as refusal:
        return refusal.code
    return done


def close_next(slow: SlowLedger) -> None:
    period = AccountingPeriod.objects.filter(status="OPEN").order_by("starts_at").first()
    if period is not None:
        AccountingPeriod.objects.filter(pk=period.pk).update(status="CLOSED")
        slow.closed_until = period.ends_at


def take(slow: SlowLedger, what: str, *how: Any) -> None:
    """One step by both ledgers, which must say the same of it."""
    match what, how:
        case "post", [entries]:
            expected = [slow.post(entry) for entry in entries]
            assert outcomes(post_entries(entries)) == expected
        case "spend", [number, ref, of_balance, more] if ref.key in slow.accounts:
            account = slow.accounts[ref.key]
            amount = account.balance - (0 if of_balance else account.held) + more
            source, other = (FREE, ref) if ref.type == AccountType.ASSET else (ref, FREE)
            lines = moves(source, other, Money(amount, "EUR"))
            if amount:
                entry = Entry(f"s{number}", "test", "ref", MOMENTS[-1], lines)
                take(slow, "post", [entry])
        case "hold", [number, ref, amount]:
            said = outcome("held", lambda: place(f"h{number}", ref, amount))
            assert said == slow.place_hold(f"h{number}", ref, amount).replace("replayed", "held")
        case "capture", [number, entry, is_final] if f"h{number}" in slow.holds:
            hold = Hold.objects.get(idempotency_key=f"h{number}").public_id
            said = outcome("posted", lambda: holds.capture_hold(hold, entry, is_final=is_final))
            expected = slow.capture(f"h{number}", entry, is_final=is_final)
            assert said == expected.replace("replayed", "posted")
        case "void", [number] if f"h{number}" in slow.holds:
            hold = Hold.objects.get(idempotency_key=f"h{number}").public_id
            said = outcome("ended", lambda: holds.void_hold(hold, actor=ACTOR))
            assert said == slow.end_hold(f"h{number}", "VOIDED")
        case "close", []:
            close_next(slow)


def place(key: str, ref: AccountRef, amount: int) -> Hold:
    return holds.place_hold(
        ref, Money(amount, ref.currency), idempotency_key=key, reference="order"
    )


@pytest.fixture
def short_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few entries take several statements, as those of thousands do."""
    monkeypatch.setattr(posting, "ENTRIES_PER_STATEMENT", 3)


@pytest.mark.django_db
@pytest.mark.usefixtures("short_statements")
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(opening=st.just(OPENING) | st.just([]), steps=st.lists(step, min_size=3, max_size=9))
def test_batches_equal_posting_one_by_one(
    opening: list[Entry], steps: list[tuple[Any, ...]]
) -> None:
    """Also what is left behind: a refused entry or hold has opened no account and moved nothing."""
    slow = SlowLedger(chart=CHART)
    with transaction.atomic():
        for starts_at, ends_at in pairwise(MONTHS):
            AccountingPeriod.objects.create(
                code=f"{starts_at:%Y-%m}", starts_at=starts_at, ends_at=ends_at
            )
        for prefix, kind in CHART.items():
            AccountGroup.objects.create(prefix=prefix, type=kind)
        for what, *how in [("post", opening), *steps]:
            take(slow, what, *how)
            assert_same_as(slow)
        assert_books_balance()
        transaction.set_rollback(True)
