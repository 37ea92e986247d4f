"""Reads: the trial balance per currency and per account."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.money import AMOUNT_MAX, Money
from ledger.selectors import (
    TrialBalanceAccount,
    TrialBalanceRow,
    trial_balance,
    trial_balance_accounts,
)
from ledger.services.posting import post_entries
from tests.support.books import query
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.history import post_at, seal_up_to

pytestmark = [pytest.mark.django_db]

DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def test_empty_books_have_an_empty_trial_balance() -> None:
    assert trial_balance() == trial_balance(as_of=NOON) == trial_balance_accounts() == []


@pytest.mark.usefixtures("books")
def test_trial_balance_sums_postings_per_currency() -> None:
    post_entries(
        [
            deposit("d1", wallet("a"), 70),
            transfer("t1", wallet("a"), wallet("b"), 30),
            deposit("d2", wallet("y", currency="JPY"), 500),
        ]
    )

    rows = [
        TrialBalanceRow("EUR", 3, Money(100, "EUR"), Money(100, "EUR")),
        TrialBalanceRow("JPY", 2, Money(500, "JPY"), Money(500, "JPY")),
    ]
    assert trial_balance() == trial_balance(as_of=NOON) == rows
    assert all(row.is_balanced for row in trial_balance())


@pytest.mark.usefixtures("books")
def test_accounts_stand_in_the_column_their_balance_is_on() -> None:
    post_entries(
        [
            deposit("d1", wallet("a"), 70),
            transfer("t1", wallet("a"), wallet("b", floor=None), 30),
            transfer("t2", wallet("b", floor=None), wallet("a"), 50),
        ]
    )

    accounts = trial_balance_accounts()

    assert accounts[1] == TrialBalanceAccount(
        "mer_1", "a", "", "liability", Money(30, "EUR"), Money(120, "EUR")
    )
    assert [
        (row.code, row.balance.amount, row.debit_balance.amount, row.credit_balance.amount)
        for row in accounts
    ] == [("cash:EUR", 70, 70, 0), ("a", 90, 0, 90), ("b", -20, 20, 0)]


def test_trial_balance_of_any_moments_is_the_sum_of_what_was_known_then() -> None:
    """Entries of four months, many of them found out later, some behind the last seal."""
    moments = [FIRST, FIRST + DAY / 2, *(FIRST + n * DAY for n in (1, 20, 31, 32, 59, 61, 92))]
    posted = [
        (effective, known) for known in moments for effective in moments if effective <= known
    ]
    for number, (effective, known) in enumerate(posted):
        (last,) = post_at(known, [deposit(f"d{number}", wallet("a"), 2**number, at=effective)])
        if number < 40 and number % 7 == 0:
            seal_up_to(last)
    assert len(posted) == 45

    edges = [
        None,
        *(moment + shift for moment in moments for shift in (-MICROSECOND, 0 * DAY)),
        *(FIRST + day * DAY for day in (20.3, 24, 31.3)),
    ]
    for as_of in edges:
        for known_at in edges:
            rows = trial_balance(as_of=as_of, known_at=known_at)

            known = sum(
                2**number
                for number, (effective, known) in enumerate(posted)
                if (as_of is None or effective <= as_of) and (known_at is None or known <= known_at)
            )
            found = [(row.debits.amount, row.credits.amount) for row in rows]
            assert found == ([(known, known)] if known else []), (as_of, known_at)


def test_totals_beyond_64_bits_come_out_exactly() -> None:
    """Ten accounts of 2**63 - 1 and an entry of the largest amount: a sum that no bigint holds."""
    most = 2**63 - 1
    banks = [AccountRef(f"bank:{n}", AccountType.ASSET, "EUR") for n in range(10)]
    (*_, last) = post_entries(
        [
            Entry(
                f"e{n}", "test", "r", NOON, moves(bank, wallet(f"w{n}"), Money(AMOUNT_MAX, "EUR"))
            )
            for n, bank in enumerate(banks)
        ]
    )
    assert last.entry_id is not None
    seal_up_to(last.entry_id)
    query("UPDATE ledger_accountbalance SET debits = %s WHERE debits > 0 RETURNING 1", [most])
    query("UPDATE ledger_daytotal SET credits = %s WHERE credits > 0 RETURNING 1", [most])

    (now,) = trial_balance()
    (then,) = trial_balance(as_of=NOON + timedelta(days=1))

    assert now == TrialBalanceRow("EUR", 20, Money(10 * most, "EUR"), Money(10**16, "EUR"))
    assert then == TrialBalanceRow("EUR", 20, Money(10**16, "EUR"), Money(10 * most, "EUR"))
    assert not now.is_balanced
    assert now.debits.text == "922337203685477580.70"
