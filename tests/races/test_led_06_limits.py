"""LED-06: fifty at once take what there is, and no more."""

from collections import Counter
from typing import Any

import pytest

from ledger.models import AccountBalance
from ledger.money import Money
from ledger.services.holds import capture_hold, place_hold
from ledger.services.posting import post_entries
from payments.services.processing import process_refunds
from payments.services.refunds import RefundWish, create_refund
from tests.factories import ACTOR, SucceededPaymentFactory, eur
from tests.support.books import balances
from tests.support.entries import balance, funded, transfer, wallet
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books")]


def names(outcomes: list[Any]) -> dict[str, int]:
    return dict(Counter(type(outcome).__name__ for outcome in outcomes))


def test_led_06_fifty_refunds_of_30_of_a_payment_of_100() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    wish = RefundWish(payment.public_id, eur("30.00"))

    outcomes = run_together(
        *[
            lambda n=n: create_refund(payment, wish, idempotency_key=f"r{n}", actor=ACTOR)
            for n in range(50)
        ]
    )
    process_refunds()

    refusals = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert names(refusals) == {"RefundExceedsPayment": 47}
    payment.refresh_from_db()
    assert payment.refundable == eur("10.00")
    assert balances()["clearing:sim:EUR"] == (100_00, 90_00)


def test_led_06_fifty_holds_of_the_full_balance() -> None:
    source = funded(wallet("a"), 100)

    outcomes = run_together(
        *[
            lambda n=n: place_hold(
                source, Money(100, "EUR"), idempotency_key=f"h{n}", reference="order"
            )
            for n in range(50)
        ]
    )

    assert names(outcomes) == {"Hold": 1, "InsufficientFunds": 49}
    assert AccountBalance.objects.get(account__code="a").pending_debits == 100


def test_led_06_fifty_transfers_of_the_full_balance() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")

    outcomes = run_together(
        *[lambda n=n: post_entries([transfer(f"t{n}", source, target, 100)]) for n in range(50)]
    )

    codes = Counter(result.code or str(result.status) for (result,) in outcomes)
    assert codes == {"posted": 1, "insufficient_funds": 49}
    assert (balance(source), balance(target)) == (0, 100)


def test_led_06_fifty_captures_of_the_whole_hold() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")
    hold = place_hold(source, Money(60, "EUR"), idempotency_key="h", reference="order").public_id

    outcomes = run_together(
        *[lambda n=n: capture_hold(hold, transfer(f"c{n}", source, target, 60)) for n in range(50)]
    )

    assert names(outcomes) == {"HoldCapture": 1, "HoldEnded": 49}
    assert (balance(source), balance(target)) == (40, 60)
