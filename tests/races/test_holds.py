"""Two at once on one hold: one wins, and nothing is taken or given back twice."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction

from ledger.actors import Actor
from ledger.models import AccountBalance, Hold
from ledger.money import Money
from ledger.services.holds import capture_hold, place_hold, void_hold
from ledger.services.posting import post_entries
from tests.support.entries import balance, funded, transfer, wallet
from tests.support.races import meanwhile, run_together, wait_until_blocked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]

SOURCE, TARGET = wallet("a"), wallet("b")
ACTOR = Actor.system("test")


@pytest.fixture
def hold() -> str:
    funded(SOURCE, 100)
    return place_hold(SOURCE, Money(60, "EUR"), idempotency_key="h1", reference="order-1").public_id


def capturing(hold: str, key: str, amount: int) -> Callable[[], Any]:
    return lambda: capture_hold(hold, transfer(key, SOURCE, TARGET, amount))


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def pending() -> int:
    return AccountBalance.objects.get(account__code="a").pending_debits


def test_two_full_captures_take_the_money_once(hold: str) -> None:
    """LerianStudio/midaz #1519: both commits succeeded."""
    outcomes = run_together(capturing(hold, "c1", 60), capturing(hold, "c2", 60))

    assert names(outcomes) == ["HoldCapture", "HoldEnded"]
    assert (balance(SOURCE), balance(TARGET), pending()) == (40, 60, 0)


def test_ten_partial_captures_take_no_more_than_was_held(hold: str) -> None:
    outcomes = run_together(*[capturing(hold, f"c{n}", 25) for n in range(10)])

    assert names(outcomes) == ["CaptureExceedsHold"] * 8 + ["HoldCapture"] * 2
    assert (balance(SOURCE), balance(TARGET), pending()) == (50, 50, 10)


def test_same_capture_from_ten_connections_is_one(hold: str) -> None:
    outcomes = run_together(*[capturing(hold, "c1", 60)] * 10)

    assert len({outcome.pk for outcome in outcomes}) == 1
    assert (balance(SOURCE), balance(TARGET), pending()) == (40, 60, 0)


def test_two_voids_give_the_money_back_once(hold: str) -> None:
    outcomes = run_together(*[lambda: void_hold(hold, actor=ACTOR)] * 2)

    assert names(outcomes) == ["Hold", "HoldEnded"]
    assert (balance(SOURCE), pending()) == (100, 0)


def test_capture_and_void_at_once_do_one_of_the_two(hold: str) -> None:
    outcomes = run_together(
        capturing(hold, "c1", 60), lambda: void_hold(hold, actor=ACTOR, reason="late")
    )

    assert "HoldEnded" in names(outcomes)
    status = Hold.objects.get().status
    assert (status, balance(TARGET), pending()) in [("CAPTURED", 60, 0), ("VOIDED", 0, 0)]


def test_holds_and_transfers_at_once_never_take_more_than_there_is() -> None:
    funded(SOURCE, 100)

    outcomes = run_together(
        *[
            lambda n=n: place_hold(SOURCE, Money(30, "EUR"), idempotency_key=f"h{n}", reference="r")
            for n in range(5)
        ],
        *[lambda n=n: post_entries([transfer(f"t{n}", SOURCE, TARGET, 30)]) for n in range(5)],
    )

    holds = sum(isinstance(outcome, Hold) for outcome in outcomes)
    posted = balance(TARGET) // 30
    assert holds + posted == 3
    assert pending() == 30 * holds


def test_captures_and_batches_over_the_same_accounts_do_not_deadlock() -> None:
    wallets = [funded(wallet(f"w{n}"), 1_000) for n in range(6)]
    holds = [
        place_hold(account, Money(100, "EUR"), idempotency_key=f"h{n}", reference="r").public_id
        for n, account in enumerate(wallets)
    ]

    def captures() -> list[Any]:
        return [
            capture_hold(hold, transfer(f"c{n}", wallets[n], wallets[n - 1], 100))
            for n, hold in reversed(list(enumerate(holds)))
        ]

    def batch(name: str) -> list[Any]:
        pairs = pairwise(wallets)
        return post_entries([transfer(f"{name}{s.code}", s, t, 1) for s, t in pairs])

    outcomes = run_together(captures, *[lambda n=n: batch(f"b{n}") for n in range(4)])

    assert names(outcomes) == ["list"] * 5
    assert sum(balance(account) for account in wallets) == 6_000


def test_entry_posted_by_somebody_else_meanwhile_is_no_capture(hold: str) -> None:
    """It took the money without releasing what was held for it."""
    entry = transfer("c1", SOURCE, TARGET, 30)

    with ExitStack() as waiting, transaction.atomic():
        post_entries([entry])
        outcomes = waiting.enter_context(meanwhile(lambda: capture_hold(hold, entry)))
        wait_until_blocked("ledger", "open_accounts")

    assert names(outcomes) == ["HoldClash"]
    assert (balance(SOURCE), balance(TARGET), pending()) == (70, 30, 60)
    assert (Hold.objects.get().status, Hold.objects.get().captured) == ("HELD", 0)


def test_one_entry_for_two_holds_at_once_captures_one(hold: str) -> None:
    other = place_hold(SOURCE, Money(30, "EUR"), idempotency_key="h2", reference="order-2")
    entry = transfer("c1", SOURCE, TARGET, 30)

    outcomes = run_together(
        lambda: capture_hold(hold, entry), lambda: capture_hold(other.public_id, entry)
    )

    assert names(outcomes) == ["HoldCapture", "HoldClash"]
    assert (balance(SOURCE), balance(TARGET), pending()) == (70, 30, 60)
