"""LED-04: whoever posts, holds and expires at the same time never makes the database find a
deadlock, and if somebody else makes one, posting gets over it."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from ledger.actors import Actor
from ledger.entries import AccountRef
from ledger.models import Account, AccountBalance
from ledger.money import Money
from ledger.services.holds import capture_hold, expire_holds, place_hold, void_hold
from ledger.services.posting import post_entries
from tests.support.books import query
from tests.support.entries import balance, funded, transfer, wallet
from tests.support.own_names import database_url_of_tests
from tests.support.races import deadlocks, meanwhile, retries, run_together, wait_until_blocked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

ACTOR = Actor.system("test")
SECONDS = 2
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def again_and_again(action: Callable[[int, random.Random], Any], name: str) -> Callable[[], int]:
    """Runs the action for SECONDS, with the number of the turn and a chance of its own."""

    def run() -> int:
        chance = random.Random(name)
        over_at = time.monotonic() + SECONDS
        turn = 0
        while time.monotonic() < over_at:
            action(turn, chance)
            turn += 1
        return turn

    return run


def test_led_04_opposite_transfers_of_sixteen_threads() -> None:
    a, b = funded(wallet("a"), 100_000), funded(wallet("b"), 100_000)
    before = deadlocks()

    def transfers(name: str, source: AccountRef, target: AccountRef) -> Callable[[], int]:
        return again_and_again(
            lambda turn, _: post_entries([transfer(f"{name}:{turn}", source, target, 1)]), name
        )

    turns = run_together(
        *[transfers(f"up{n}", a, b) for n in range(8)],
        *[transfers(f"down{n}", b, a) for n in range(8)],
    )

    assert (balance(a) + balance(b), balance(b)) == (
        200_000,
        100_000 + sum(turns[:8]) - sum(turns[8:]),
    )
    assert deadlocks() == before


@pytest.mark.parametrize("floors", [[None], [0, None]], ids=["without floors", "with and without"])
def test_led_04_batches_in_any_order(floors: list[int | None]) -> None:
    wallets = [funded(wallet(f"w{n}", floor=floors[n % len(floors)]), 100_000) for n in range(30)]
    before = deadlocks()

    def batches(name: str) -> Callable[[], int]:
        def post(turn: int, chance: random.Random) -> None:
            order = chance.sample(wallets, len(wallets))
            pairs = zip(order, order[1:] + order[:1], strict=True)
            post_entries(
                [transfer(f"{name}:{turn}:{n}", s, t, 1) for n, (s, t) in enumerate(pairs)]
            )

        return again_and_again(post, name)

    turns = run_together(*[batches(f"b{n}") for n in range(6)])

    assert min(turns) > 0
    assert {balance(account) for account in wallets} == {100_000}
    assert deadlocks() == before


def test_led_04_holds_and_batches_on_the_same_accounts() -> None:
    """Those without a floor are the older ones: locked last all the same."""
    wallets = [funded(wallet(f"w{n}", floor=None if n < 5 else 0), 1_000_000) for n in range(10)]
    before = deadlocks()

    def post(name: str) -> Callable[[], int]:
        def batch(turn: int, chance: random.Random) -> None:
            order = chance.sample(wallets, len(wallets))
            pairs = zip(order, order[1:] + order[:1], strict=True)
            post_entries(
                [transfer(f"{name}:{turn}:{n}", s, t, 1) for n, (s, t) in enumerate(pairs)]
            )

        return again_and_again(batch, name)

    def hold(name: str) -> Callable[[], int]:
        def place_and_end(turn: int, chance: random.Random) -> None:
            source, target = chance.sample(wallets, 2)
            key = f"{name}:{turn}"
            placed = place_hold(source, Money(5, "EUR"), idempotency_key=key, reference="order")
            if chance.random() < 0.5:
                capture_hold(placed.public_id, transfer(key, source, target, 3), is_final=True)
            else:
                void_hold(placed.public_id, actor=ACTOR)

        return again_and_again(place_and_end, name)

    def expire(turn: int, chance: random.Random) -> None:
        for n, account in enumerate(chance.sample(wallets, 6)):
            key = f"e:{chance.random()}:{turn}:{n}"
            money = Money(1, "EUR")
            place_hold(account, money, idempotency_key=key, reference="order", expires_at=LONG_AGO)
        expire_holds()

    outcomes = run_together(
        *[post(f"p{n}") for n in range(3)],
        *[hold(f"h{n}") for n in range(3)],
        *[again_and_again(expire, f"e{n}") for n in range(2)],
    )

    assert [type(outcome).__name__ for outcome in outcomes] == ["int"] * 8
    assert sum(balance(account) for account in wallets) == 10_000_000
    while expire_holds():
        pass
    assert set(AccountBalance.objects.values_list("pending_debits", flat=True)) == {0}
    assert deadlocks() == before


def test_led_04_deadlock_somebody_else_makes_is_retried_and_counted() -> None:
    a, b = funded(wallet("a"), 100), funded(wallet("b"), 100)
    ids = {ref.code: Account.objects.get(code=ref.code).pk for ref in (a, b)}
    before = deadlocks(), retries("deadlock_detected")
    lock = "SELECT FROM ledger_accountbalance WHERE account_id = %s FOR UPDATE"

    with psycopg.connect(database_url_of_tests()) as helper:
        helper.execute("SET deadlock_timeout = '1min'")  # somebody else is sent away
        helper.execute(lock, [ids["b"]])
        with meanwhile(lambda: post_entries([transfer("t1", a, b, 30)])) as outcomes:
            wait_until_blocked("ledger", "post_batch")
            helper.execute(lock, [ids["a"]])
            helper.rollback()

    ((result,),) = outcomes
    assert result.status == "posted"
    assert (balance(a), balance(b)) == (70, 130)
    assert (deadlocks(), retries("deadlock_detected")) == (before[0] + 1, before[1] + 1)


def test_led_04_capture_somebody_deadlocks_with_is_retried() -> None:
    """In the transaction of the capture, which keeps its hold meanwhile."""
    a, b = funded(wallet("a"), 100), funded(wallet("b"), 100)
    ids = {ref.code: Account.objects.get(code=ref.code).pk for ref in (a, b)}
    hold = place_hold(a, Money(60, "EUR"), idempotency_key="h1", reference="order").public_id
    lock = "SELECT FROM ledger_accountbalance WHERE account_id = %s FOR UPDATE"

    with psycopg.connect(database_url_of_tests()) as helper:
        helper.execute("SET deadlock_timeout = '1min'")
        helper.execute(lock, [ids["b"]])
        with meanwhile(lambda: capture_hold(hold, transfer("c1", a, b, 30))) as outcomes:
            wait_until_blocked("ledger", "write_batch")
            helper.execute(lock, [ids["a"]])
            helper.rollback()

    (capture,) = outcomes
    assert capture.amount == 30
    assert query("SELECT pending_debits FROM ledger_accountbalance ORDER BY 1 DESC LIMIT 1") == [
        (30,)
    ]
    assert (balance(a), balance(b)) == (70, 130)
