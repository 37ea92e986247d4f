"""Reads: the trial balance, and balances as of any moment."""

from datetime import timedelta

import pytest

from ledger.models import Account
from ledger.money import Money
from ledger.selectors import TrialBalanceRow, balance_of, trial_balance
from ledger.services.posting import post_entries
from tests.support.entries import NOON, deposit, transfer, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_empty_books_have_an_empty_trial_balance() -> None:
    assert trial_balance() == []


def test_trial_balance_sums_postings_per_currency() -> None:
    post_entries(
        [
            deposit("d1", wallet("a"), 70),
            transfer("t1", wallet("a"), wallet("b"), 30),
            deposit("d2", wallet("y", currency="JPY"), 500),
        ]
    )

    assert trial_balance() == [
        TrialBalanceRow("EUR", 3, Money(100, "EUR"), Money(100, "EUR")),
        TrialBalanceRow("JPY", 2, Money(500, "JPY"), Money(500, "JPY")),
    ]
    assert all(row.is_balanced for row in trial_balance())


def test_balance_as_of_counts_what_was_effective_by_then() -> None:
    """Also what was posted later for an earlier day."""
    days = [NOON + timedelta(days=n) for n in range(4)]
    post_entries(
        [
            deposit("d0", wallet("a"), 100, at=days[0]),
            deposit("d2", wallet("a"), 10, at=days[2]),
            transfer("late", wallet("a"), wallet("b"), 1, at=days[1]),
        ]
    )
    account = Account.objects.get(code="a")
    cash = Account.objects.get(code="cash:EUR")

    before = balance_of(account, as_of=days[0] - timedelta(microseconds=1))
    daily = [balance_of(account, as_of=day).amount for day in days]

    assert before == Money(0, "EUR")
    assert daily == [100, 99, 109, 109]
    assert balance_of(account) == Money(109, "EUR")
    assert balance_of(cash, as_of=days[2]) == balance_of(cash) == Money(110, "EUR")
