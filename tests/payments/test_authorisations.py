"""Authorising: money is kept and nothing is booked."""

from datetime import timedelta

import pytest

from ledger.models import JournalEntry
from payments.models import SimulatedOperation
from payments.services.processing import process_payments
from tests.factories import (
    AuthorizedPaymentFactory,
    PaymentFactory,
    eur,
)
from tests.support.authorisations import operations, process


@pytest.mark.django_db
def test_manual_capture_authorises_and_books_nothing(books: None) -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))

    authorisation = SimulatedOperation.objects.get()
    assert operations(payment) == [("authorize", 100_00, "accepted")]
    assert payment.gateway_reference == authorisation.gateway_reference
    assert payment.authorized_until == authorisation.created_at + timedelta(days=7)
    assert payment.due_at == payment.authorized_until
    assert (payment.amount_captured, payment.fee, payment.effective_at) == (0, 0, None)
    assert payment.settlement_due_on is None
    assert not JournalEntry.objects.exists()
    assert process_payments() == 0


@pytest.mark.django_db
def test_declined_authorisation_fails() -> None:
    payment = process(PaymentFactory(capture="manual", source="tok_expired_card"))

    assert (payment.status, payment.failure_code) == ("FAILED", "expired_card")
    assert payment.failure_reason == "The card has expired."
    assert payment.authorized_until is None


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["tok_timeout", "tok_error_once"])
def test_unanswered_authorisation_is_unknown_until_it_is_asked_again(source: str) -> None:
    payment = process(PaymentFactory(capture="manual", source=source))
    assert (payment.status, payment.authorized_until) == ("PROCESSING", None)

    payment = process(payment)

    authorisation = SimulatedOperation.objects.get()
    assert payment.status == "AUTHORIZED"
    assert payment.authorized_until == authorisation.created_at + timedelta(days=7)
