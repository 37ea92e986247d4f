"""Authorisations that are canceled or run out."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from ledger.models import AuditEvent, JournalEntry
from payments.errors import (
    AlreadyRequested,
    AuthorizationExpired,
    PaymentNotAuthorized,
)
from payments.gateways.base import Unanswered
from payments.models import Payment, SimulatedOperation
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.processing import process_payments
from tests.factories import (
    ACTOR,
    AuthorizedPaymentFactory,
    PaymentFactory,
    eur,
)
from tests.support.authorisations import operations, process
from tests.support.gateways import EventfulGateway, use_gateway
from tests.support.races import run_together


def run_out(payment: Payment) -> datetime:
    """A week passes, for us and for the processor."""
    until = timezone.now()
    Payment.objects.filter(pk=payment.pk).update(authorized_until=until, due_at=until)
    SimulatedOperation.objects.update(created_at=until - timedelta(days=7))
    return until


# --- Canceling -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_canceled_authorisation_is_given_back(books: None) -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))

    asked = cancel_payment(payment, actor=ACTOR)
    assert asked.status == "AUTHORIZED"
    payment = process(payment)

    assert (payment.status, payment.due_at, payment.amount_captured) == ("CANCELED", None, 0)
    assert payment.cancel_requested_at == asked.cancel_requested_at
    assert operations(payment) == [
        ("authorize", 100_00, "accepted"),
        ("cancel", 100_00, "accepted"),
    ]
    assert not JournalEntry.objects.exists()


@pytest.mark.django_db
def test_unanswered_cancellation_is_asked_about_until_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payment = AuthorizedPaymentFactory()
    cancel_payment(payment, actor=ACTOR)
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(outcome=Unanswered("timeout")))
        payment = process(payment)
    assert payment.status == "AUTHORIZED"

    assert process(payment).status == "CANCELED"


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["tok_visa", "tok_declined", "tok_timeout"])
def test_payment_that_is_not_authorised_is_neither_captured_nor_canceled(source: str) -> None:
    payment = PaymentFactory(source=source)
    if source != "tok_visa":
        process_payments()

    for act in (capture_payment, cancel_payment):
        with pytest.raises(PaymentNotAuthorized) as refusal:
            act(payment, actor=ACTOR)
        assert refusal.value.code == "payment_not_authorized"


@pytest.mark.django_db
def test_who_asked_is_in_the_audit_trail() -> None:
    captured, canceled = AuthorizedPaymentFactory(money=eur("100.00")), AuthorizedPaymentFactory()

    capture_payment(captured, money=eur("60.00"), actor=ACTOR)
    cancel_payment(canceled, actor=ACTOR)

    events = AuditEvent.objects.filter(action__startswith="payment.").order_by("pk")
    assert [(event.action, event.subject, event.actor_id) for event in events] == [
        ("payment.capture_requested", captured.public_id, "tests"),
        ("payment.cancel_requested", canceled.public_id, "tests"),
    ]
    assert events[0].after == {"amount": "60.00 EUR"}


@pytest.mark.django_db(transaction=True)
def test_capture_and_cancellation_at_once_have_one_winner() -> None:
    payment = AuthorizedPaymentFactory()

    outcomes = run_together(
        *[lambda: capture_payment(payment, actor=ACTOR)] * 3,
        *[lambda: cancel_payment(payment, actor=ACTOR)] * 3,
    )
    payment = process(payment)

    assert sum(isinstance(outcome, Payment) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyRequested) for outcome in outcomes) == 5
    kinds = [kind for kind, _, _ in operations(payment)]
    expected = {"SUCCEEDED": "capture", "CANCELED": "cancel"}[payment.status]
    assert kinds == ["authorize", expected]


# --- Running out ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_authorisation_that_ran_out_expires(books: None) -> None:
    payment = AuthorizedPaymentFactory()
    run_out(payment)

    assert process_payments() == 1

    payment.refresh_from_db()
    assert (payment.status, payment.due_at, payment.amount_captured) == ("EXPIRED", None, 0)
    assert [kind for kind, _, _ in operations(payment)] == ["authorize"]


@pytest.mark.django_db
def test_authorisation_looked_at_too_early_waits_for_its_time() -> None:
    payment = AuthorizedPaymentFactory()

    payment = process(payment)

    assert (payment.status, payment.due_at) == ("AUTHORIZED", payment.authorized_until)


@pytest.mark.django_db
def test_nothing_is_captured_or_canceled_after_the_authorisation_ran_out() -> None:
    payment = AuthorizedPaymentFactory()
    until = run_out(payment)

    for act in (capture_payment, cancel_payment):
        with pytest.raises(AuthorizationExpired, match=until.isoformat()[:19]) as refusal:
            act(payment, actor=ACTOR)
        assert refusal.value.code == "authorization_expired"
    payment = process(payment)
    with pytest.raises(PaymentNotAuthorized):
        capture_payment(payment, actor=ACTOR)


@pytest.mark.django_db
def test_capture_that_comes_to_the_processor_too_late_is_declined_and_then_expires() -> None:
    payment = AuthorizedPaymentFactory()
    capture_payment(payment, actor=ACTOR)
    run_out(payment)

    payment = process(payment)
    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "authorization_gone")
    payment = process(payment)

    assert payment.status == "EXPIRED"
    assert not JournalEntry.objects.exists()


@pytest.mark.django_db
def test_capture_asked_for_while_a_worker_looks_at_the_expiry_is_not_lost(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock is ahead of ours: it has taken the row to expire it, and we still capture."""
    payment = AuthorizedPaymentFactory(money=eur("100.00"))
    other = PaymentFactory(merchant=payment.merchant)
    Payment.objects.filter(pk=payment.pk).update(due_at=timezone.now(), leased_until=timezone.now())
    gateway = EventfulGateway(before=lambda: capture_payment(payment, actor=ACTOR))
    with monkeypatch.context() as patch:
        use_gateway(patch, gateway)
        assert process_payments() == 2
    assert gateway.asked == [other.public_id]

    payment = process(payment)

    assert (payment.status, payment.captured_money) == ("SUCCEEDED", eur("100.00"))
