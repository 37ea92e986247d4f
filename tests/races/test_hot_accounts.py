"""Batches that share an account without a floor wait for each other at the very end only."""

from contextlib import ExitStack

import pytest
from django.db import transaction

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.money import Money
from ledger.services.posting import post_entries
from tests.support.books import query
from tests.support.entries import NOON, balance, funded, transfer, wallet
from tests.support.races import meanwhile, retries, run_together, wait_until_blocked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

WRITTEN_BY_WHO_WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND relation = 'ledger_posting'::regclass AND mode = 'RowExclusiveLock' AND granted
"""
FEES = AccountRef("income:fees", AccountType.INCOME, "EUR")


def fee(key: str, payer: AccountRef, amount: int) -> Entry:
    return Entry(key, "fee", f"ref-{key}", NOON, moves(payer, FEES, Money(amount, "EUR")))


def wallets(count: int) -> list[AccountRef]:
    made = [funded(wallet(f"w{n}"), 1_000) for n in range(count)]
    post_entries([fee(f"opening{n}", payer, 1) for n, payer in enumerate(made)])
    return made


def test_batch_waits_for_a_hot_account_only_when_all_else_is_done() -> None:
    """Who waits has written its entries already: it holds the lock that goes with it."""
    one, two = wallets(2)

    with ExitStack() as waiting, transaction.atomic():
        post_entries([fee("f1", one, 10)])
        outcomes = waiting.enter_context(meanwhile(lambda: post_entries([fee("f2", two, 20)])))
        wait_until_blocked("ledger", "post_batch")
        assert query(WRITTEN_BY_WHO_WAITS) == [(1,)]

    assert [[result.status for result in results] for results in outcomes] == [["posted"]]
    assert balance(FEES) == 32


def test_batch_that_shares_nothing_waits_for_nobody() -> None:
    one, two, three = wallets(3)

    with transaction.atomic():
        post_entries([fee("f1", one, 10)])

        (results,) = run_together(lambda: post_entries([transfer("t1", two, three, 20)]))

        assert [result.status for result in results] == ["posted"]
    assert (balance(two), balance(three)) == (979, 1_019)


def test_batch_that_lost_the_funds_it_counted_on_is_decided_again() -> None:
    """It wrote its entry while they still seemed to be there."""
    one, two = wallets(2)
    before = retries("ledger_balance_floor")

    with ExitStack() as waiting, transaction.atomic():
        post_entries([transfer("t1", one, two, 999)])
        outcomes = waiting.enter_context(meanwhile(lambda: post_entries([fee("f1", one, 1)])))
        wait_until_blocked("ledger", "post_batch")

    assert [[result.code for result in results] for results in outcomes] == [["insufficient_funds"]]
    assert (balance(one), balance(two), balance(FEES)) == (0, 1_998, 2)
    assert retries("ledger_balance_floor") == before + 1


@pytest.mark.parametrize("is_plain", [True, False])
def test_batch_may_not_go_under_a_floor_between_its_entries_either(is_plain: bool) -> None:
    """In the end nothing is missing: what it takes it gives back."""
    one, two = wallets(2)
    batch = [transfer("out", one, two, 990), transfer("back", two, one, 990)]
    if not is_plain:
        batch.append(batch[1])  # its replay
    before = retries("ledger_balance_floor")

    with ExitStack() as waiting, transaction.atomic():
        post_entries([transfer("t1", one, two, 20)])
        outcomes = waiting.enter_context(meanwhile(lambda: post_entries(batch)))
        wait_until_blocked("ledger", "post_batch" if is_plain else "write_batch")

    ((out, back, *again),) = outcomes
    assert (out.code, back.status, {each.status for each in again}) == (
        "insufficient_funds",
        "posted",
        set() if is_plain else {"replayed"},
    )
    assert (balance(one), balance(two)) == (979 + 990, 1_019 - 990)
    assert retries("ledger_balance_floor") == before + 1
