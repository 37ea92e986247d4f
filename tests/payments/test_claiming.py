"""Rows as the queue: claimed by one worker at a time, whatever becomes of that worker."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import JournalEntry
from ledger.services.posting import post_entry
from payments import work
from payments.gateways.base import Declined
from payments.models import Gateway, Payment, Refund, SimulatedOperation
from payments.services.gateways import define_gateway
from payments.services.payments import PaymentWish, create_payment
from payments.services.processing import PAYMENTS, process_payments, process_refunds
from tests.factories import MerchantFactory, PaymentFactory, RefundFactory, eur
from tests.support.books import assert_books_balance, balances
from tests.support.entries import deposit, wallet
from tests.support.gateways import EventfulGateway, WorkerDied, die, use_gateway
from tests.support.races import run_together

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_due(model: type[Payment] | type[Refund] = Payment) -> None:
    """Time passes: leases and pauses are over."""
    model.objects.filter(due_at__isnull=False).update(
        due_at=timezone.now(), leased_until=timezone.now()
    )


# --- What becomes of a payment -------------------------------------------------------------


@pytest.mark.django_db
def test_claim_takes_the_oldest_due_rows_for_the_length_of_a_lease() -> None:
    merchant = MerchantFactory()
    first, second, third, later = (PaymentFactory(merchant=merchant) for _ in range(4))
    now = timezone.now()
    for payment, minutes in ((first, -1), (second, -3), (third, -2), (later, 1)):
        Payment.objects.filter(pk=payment.pk).update(due_at=now + timedelta(minutes=minutes))

    claimed = work.claim(Payment, limit=2, becomes=PAYMENTS.becomes)

    assert claimed == [second, third]
    assert {(row.status, row.attempts, row.fence) for row in claimed} == {("PROCESSING", 1, 1)}
    for row in claimed:
        assert row.leased_until is not None
        assert 59 < (row.leased_until - now).total_seconds() < 65
    assert work.claim(Payment, limit=10, becomes=PAYMENTS.becomes) == [first]
    assert work.claim(Payment, limit=10, becomes=PAYMENTS.becomes) == []


@pytest.mark.django_db
def test_oldest_due_tells_how_long_the_queue_has_waited() -> None:
    assert work.oldest_due(Payment) is None

    payment = PaymentFactory()

    assert work.oldest_due(Payment) == payment.due_at
    process_payments()
    assert work.oldest_due(Payment) is None


@pytest.mark.django_db(transaction=True)
def test_rows_another_worker_is_claiming_are_skipped_not_waited_for() -> None:
    merchant = MerchantFactory()
    taken, free = PaymentFactory(merchant=merchant), PaymentFactory(merchant=merchant)

    with transaction.atomic():
        Payment.objects.select_for_update().get(pk=taken.pk)
        (claimed,) = run_together(lambda: work.claim(Payment, becomes=PAYMENTS.becomes))

    assert claimed == [free]


@pytest.mark.django_db(transaction=True)
def test_two_workers_process_200_payments_once_each() -> None:
    merchant = MerchantFactory()
    for _ in range(200):
        PaymentFactory(merchant=merchant, money=eur("10.00"))

    def drain() -> int:
        taken = 0
        while batch := process_payments(limit=15):
            taken += batch
        return taken

    outcomes = run_together(drain, drain)

    assert sum(outcomes) == 200
    assert Payment.objects.filter(status="SUCCEEDED", attempts=1, fence=1).count() == 200
    assert SimulatedOperation.objects.count() == JournalEntry.objects.count() == 200
    assert balances()["clearing:sim:EUR"] == (200 * 10_00, 0)
    assert_books_balance()


# --- Workers that die or sleep -------------------------------------------------------------


@pytest.mark.django_db
def test_worker_that_lost_its_lease_writes_nothing(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first worker waits for the gateway, its lease ends and a second one takes over."""
    payment = PaymentFactory()
    seen = []

    def takeover() -> None:
        monkeypatch.undo()
        make_due()
        assert process_payments() == 1
        seen.append((Payment.objects.get().updated_at, balances()))

    use_gateway(monkeypatch, EventfulGateway(after=takeover))

    assert process_payments() == 1

    payment.refresh_from_db()
    assert (payment.status, payment.attempts, payment.fence) == ("SUCCEEDED", 2, 2)
    assert seen == [(payment.updated_at, balances())]
    assert SimulatedOperation.objects.count() == JournalEntry.objects.count() == 1


@pytest.mark.django_db
def test_late_worker_cannot_turn_a_known_outcome_back(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late one was told that the payment was declined; by then it had been booked."""
    PaymentFactory()

    def takeover() -> None:
        monkeypatch.undo()
        make_due()
        process_payments()

    late = EventfulGateway(before=takeover, outcome=Declined("card_declined", "Too late."))
    use_gateway(monkeypatch, late)

    process_payments()

    payment = Payment.objects.get()
    assert (payment.status, payment.failure_code) == ("SUCCEEDED", "")
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["before", "after"])
def test_worker_that_dies_at_the_gateway_charges_and_books_once(
    books: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    payment = PaymentFactory()
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(**{moment: die}))
        with pytest.raises(WorkerDied):
            process_payments()

    payment.refresh_from_db()
    assert (payment.status, payment.attempts) == ("PROCESSING", 1)
    assert not JournalEntry.objects.exists()
    assert process_payments() == 0  # the lease is not over

    make_due()
    assert process_payments() == 1

    payment.refresh_from_db()
    assert (payment.status, payment.attempts) == ("SUCCEEDED", 2)
    assert SimulatedOperation.objects.get().key == payment.public_id
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ["before", "after"])
def test_worker_that_dies_at_a_refund_gives_back_and_books_once(
    books: None, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    refund = RefundFactory(money=eur("30.00"))
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(**{moment: die}))
        with pytest.raises(WorkerDied):
            process_refunds()

    make_due(Refund)
    process_refunds()

    refund.refresh_from_db()
    assert (refund.status, refund.attempts) == ("SUCCEEDED", 2)
    assert SimulatedOperation.objects.filter(kind="refund").count() == 1
    assert JournalEntry.objects.filter(kind="refund").count() == 1
    assert Payment.objects.get().amount_refunded == 30_00


@pytest.mark.django_db
def test_payment_that_cannot_be_booked_waits_and_holds_up_nobody(books: None) -> None:
    """A refusal of the ledger is a defect of ours; no payment succeeds without its entry."""
    merchant = MerchantFactory()
    first, second = PaymentFactory(merchant=merchant), PaymentFactory(merchant=merchant)
    post_entry(deposit(f"payment:{second.public_id}", wallet("somebody else"), 1))

    assert process_payments() == 2

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status, second.fee) == ("SUCCEEDED", "PROCESSING", 0)
    assert second.due_at is not None
    assert JournalEntry.objects.filter(reference=first.public_id).count() == 1
    assert not JournalEntry.objects.filter(reference=second.public_id).exists()


def test_payment_through_a_gateway_without_adapter_waits_and_holds_up_nobody(books: None) -> None:
    stuck = PaymentFactory()
    define_gateway("sim", adapter=Gateway.Adapter.NONE)
    define_gateway("other", adapter=Gateway.Adapter.SIMULATOR)
    fine = create_payment(
        stuck.merchant,
        PaymentWish(eur("5.00"), "tok_visa"),
        idempotency_key="fine",
        actor=Actor.system("tests"),
    )

    process_payments()

    stuck.refresh_from_db()
    fine.refresh_from_db()
    assert (stuck.status, fine.status) == ("PROCESSING", "SUCCEEDED")
