"""A batch does what its entries would do one by one, whatever they are."""

from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.entries import AccountRef, AccountType, Entry, Line, moves
from ledger.money import Money
from ledger.services.posting import Result, post_entries
from tests.support.books import assert_books_balance
from tests.support.entries import NOON, balance

# Few accounts, small amounts and few keys, so that floors, replays and clashes are common.
ACCOUNTS = [
    AccountRef("free", AccountType.LIABILITY, "EUR", "m"),
    AccountRef("empty", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("credit line", AccountType.LIABILITY, "EUR", "m", floor=-20),
    AccountRef("till", AccountType.ASSET, "EUR", "", floor=0),
    AccountRef("cost", AccountType.EXPENSE, "EUR", ""),
]
IS_DEBIT_NORMAL = {AccountType.ASSET, AccountType.EXPENSE}

move = st.tuples(
    st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS), st.integers(-30, 30).filter(bool)
).map(lambda drawn: moves(drawn[0], drawn[1], Money(drawn[2], "EUR")))
entry = st.builds(
    lambda key, groups: Entry(f"k{key}", "test", "ref", NOON, sum(groups, ())),
    st.integers(0, 12),
    st.lists(move, min_size=1, max_size=3),
)
batches = st.lists(st.lists(entry, max_size=8), min_size=1, max_size=4)


@dataclass
class SlowLedger:
    """The rules, one entry at a time, in the plainest Python there is."""

    posted: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    balances: dict[AccountRef, int] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, 0))

    def post(self, entry: Entry) -> str:
        if entry.idempotency_key in self.posted:
            is_same = self.posted[entry.idempotency_key] == entry.lines
            return "replayed" if is_same else "idempotency_conflict"
        after = dict(self.balances)
        for line in entry.lines:
            grows = (line.account.type in IS_DEBIT_NORMAL) == (line.direction == "debit")
            after[line.account] += line.amount if grows else -line.amount
        for account, now in after.items():
            if account.floor is not None and now < min(account.floor, self.balances[account]):
                return "insufficient_funds"
        self.balances = after
        self.posted[entry.idempotency_key] = entry.lines
        return "posted"


def said(results: list[Result]) -> list[str]:
    return [result.code or str(result.status) for result in results]


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=batches)
def test_batches_equal_posting_one_by_one(batches: list[list[Entry]]) -> None:
    slow = SlowLedger()
    with transaction.atomic():
        for batch in batches:
            expected = [slow.post(entry) for entry in batch]

            results = post_entries(batch)

            assert said(results) == expected
            assert {account: balance(account) for account in ACCOUNTS} == slow.balances
        assert_books_balance()
        transaction.set_rollback(True)
