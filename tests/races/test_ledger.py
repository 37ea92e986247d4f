"""Many connections at once: no overdraft, no deadlock, no entry twice, no account twice."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import Account, JournalEntry
from ledger.money import Money
from ledger.services.posting import Result, Status, post_entries, post_entry
from tests.support.books import query
from tests.support.entries import balance, deposit, funded, transfer, wallet
from tests.support.races import run_together

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]


def statuses(outcomes: list[list[Result]]) -> list[str]:
    return sorted(result.code or result.status for results in outcomes for result in results)


def test_two_withdrawals_cannot_overdraw() -> None:
    """70 and 70 of 100 at once: exactly one succeeds, whoever is first."""
    source, target = funded(wallet("a"), 100), wallet("b")

    outcomes = run_together(
        lambda: post_entries([transfer("w1", source, target, 70)]),
        lambda: post_entries([transfer("w2", source, target, 70)]),
    )

    assert statuses(outcomes) == ["insufficient_funds", "posted"]
    assert (balance(source), balance(target)) == (30, 70)


def test_twenty_withdrawals_take_what_is_there_and_no_more() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")

    outcomes = run_together(
        *[lambda n=n: post_entries([transfer(f"w{n}", source, target, 30)]) for n in range(20)]
    )

    assert statuses(outcomes) == ["insufficient_funds"] * 17 + ["posted"] * 3
    assert (balance(source), balance(target)) == (10, 90)


def test_opposite_transfers_do_not_deadlock() -> None:
    a, b = funded(wallet("a"), 10_000), funded(wallet("b"), 10_000)
    before = deadlocks()

    def there_and_back(name: str) -> list[Result]:
        pairs = [(a, b), (b, a)] if name < "m" else [(b, a), (a, b)]
        return [
            result
            for turn in range(25)
            for number, (source, target) in enumerate(pairs)
            for result in post_entries([transfer(f"{name}{turn}{number}", source, target, 1)])
        ]

    outcomes = run_together(*[lambda n=n: there_and_back(n) for n in "abxy"])

    assert statuses(outcomes) == ["posted"] * 200
    assert (balance(a), balance(b)) == (10_000, 10_000)
    assert deadlocks() == before


def test_batches_over_the_same_accounts_in_another_order_do_not_deadlock() -> None:
    wallets = [funded(wallet(f"w{n}"), 1_000) for n in range(10)]

    def round_trip(name: str, order: list[int]) -> list[Result]:
        pairs = zip(order, order[1:] + order[:1], strict=True)
        return post_entries(
            [transfer(f"{name}-{s}-{t}", wallets[s], wallets[t], 5) for s, t in pairs]
        )

    up, down = list(range(10)), list(range(9, -1, -1))
    outcomes = run_together(
        *[lambda n=n: round_trip(f"r{n}", up if n % 2 else down) for n in range(8)]
    )

    assert statuses(outcomes) == ["posted"] * 80
    assert [balance(account) for account in wallets] == [1_000] * 10


def test_same_entry_from_ten_connections_is_posted_once() -> None:
    entry = deposit("d1", wallet("a"), 100)

    outcomes = run_together(*[lambda: post_entry(entry)] * 10)

    assert sorted(result.status for result in outcomes) == [Status.POSTED] + [Status.REPLAYED] * 9
    assert len({result.public_id for result in outcomes}) == 1
    assert JournalEntry.objects.count() == 1
    assert balance(wallet("a")) == 100


def test_account_is_opened_once_by_whoever_comes_first() -> None:
    outcomes = run_together(
        *[lambda n=n: post_entry(deposit(f"d{n}", wallet("new"), 1)) for n in range(10)]
    )

    assert {result.status for result in outcomes} == {Status.POSTED}
    assert Account.objects.filter(code="new").count() == 1
    assert balance(wallet("new")) == 10


def deadlocks() -> int:
    """How many the database has seen so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    ((count,),) = query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return count


def test_one_key_on_different_accounts_at_once_is_a_conflict_and_no_crash() -> None:
    accounts = [AccountRef(f"x{n}", AccountType.ASSET, "EUR") for n in range(16)]
    pairs = list(zip(accounts[::2], accounts[1::2], strict=True))

    for turn in range(5):
        outcomes = run_together(
            *[
                lambda pair=pair, n=n, turn=turn: (
                    post_entries(
                        [Entry(f"same{turn}", "t", "r", NOON, moves(*pair, Money(n + 1, "EUR")))]
                    )[0].status
                )
                for n, pair in enumerate(pairs)
            ]
        )

        assert sorted(outcomes) == ["posted"] + ["refused"] * 7
