"""Runs begin where work is left: behind the payments that no batch can want any more."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.actors import Actor
from ledger.money import Money
from payments.models import Payment
from payments.services.processing import process_payments
from settlements.invariants import illegal_settlements
from settlements.models import SettlementBatch, SettlementHorizon
from settlements.services.batches import run_settlement
from tests.factories import MerchantFactory, PaymentFactory, SucceededPaymentFactory, eur
from tests.support.chores import Clock

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("settlement")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch, datetime(2026, 3, 2, 12, tzinfo=UTC))


def paid() -> Payment:
    return SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("10.00"))


def settle(clock: Clock) -> list[SettlementBatch]:
    """Today; then it is tomorrow."""
    batches = run_settlement(clock.now.date(), actor=SYSTEM)
    clock.now += timedelta(days=1)
    return batches


def through() -> int:
    return SettlementHorizon.objects.get().through


def test_what_is_settled_is_looked_at_until_a_day_later(clock: Clock) -> None:
    first = paid()
    settle(clock)
    assert (through(), SettlementHorizon.objects.get().seen) == (0, first.pk)

    second = paid()
    clock.now -= timedelta(seconds=1)
    run_settlement(clock.now.date(), actor=SYSTEM)
    assert through() == 0

    clock.now += timedelta(seconds=1)
    assert settle(clock) == []
    assert (through(), SettlementHorizon.objects.get().seen) == (first.pk, second.pk)

    assert settle(clock) == []
    assert through() == second.pk


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "AUTHORIZED"])
def test_a_payment_without_an_outcome_is_waited_for(clock: Clock, status: str) -> None:
    waiting = PaymentFactory(merchant=MerchantFactory(), money=eur("10.00"))
    Payment.objects.filter(pk=waiting.pk).update(status=status, due_at=None)
    paid()
    for _ in range(3):
        settle(clock)
    assert through() == waiting.pk - 1

    Payment.objects.filter(pk=waiting.pk).update(status="PENDING", due_at=clock.now)
    assert process_payments() == 1
    (batch,) = settle(clock)
    settle(clock)

    assert batch.lines.get().payment == waiting
    assert through() == Payment.objects.latest("pk").pk


def test_what_waits_for_its_conversion_is_waited_for_and_failures_are_not(clock: Clock) -> None:
    failed = PaymentFactory(merchant=MerchantFactory(), money=eur("10.00"), source="tok_declined")
    process_payments()
    foreign = SucceededPaymentFactory(merchant=MerchantFactory(), money=Money(10_00, "USD"))
    Payment.objects.filter(pk=foreign.pk).update(settlement_currency="EUR")
    paid()

    for _ in range(3):
        settle(clock)

    assert failed.pk <= through() == foreign.pk - 1


def test_a_payment_that_would_be_passed_over_is_found(clock: Clock) -> None:
    forgotten = paid()
    SettlementHorizon.objects.create(through=forgotten.pk, seen=forgotten.pk, seen_at=clock.now)

    assert settle(clock) == []
    (breach,) = illegal_settlements()
    assert (breach.subject, breach.problem) == (
        forgotten.public_id,
        "it is in no batch, and no run looks at it",
    )
