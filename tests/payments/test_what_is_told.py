"""What is written down beside the outcome: the events, and what the gateway was asked."""

import json

import pytest

from ledger.models import JournalEntry
from payments.models import Event, GatewayAttempt, Payment
from payments.services.processing import process_payments, process_refunds
from tests.factories import ApiKeyFactory, PaymentFactory, RefundFactory, eur
from tests.payments.test_claiming import make_due
from tests.support.api import Api
from tests.support.gateways import EventfulGateway, WorkerDied, die, use_gateway

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def told_about(subject: str) -> list[tuple[int, str]]:
    events = Event.objects.filter(subject=subject).order_by("sequence")
    return [(event.sequence, event.type) for event in events]


def attempts_at(subject: str) -> list[tuple[int, str, bool, str, str]]:
    return list(
        GatewayAttempt.objects.filter(subject=subject).values_list(
            "number", "action", "is_enquiry", "answer", "detail"
        )
    )


def test_event_says_what_the_api_says_at_that_moment() -> None:
    key = ApiKeyFactory()
    payment = PaymentFactory(merchant=key.record.merchant, money=eur("10.00"))

    process_payments()

    event = Event.objects.get()
    assert (event.type, event.subject, event.merchant) == (
        "payment.succeeded",
        payment.public_id,
        key.record.merchant,
    )
    shown = Api(key.secret).get(f"/payments/{payment.public_id}").json()
    assert json.loads(event.data) == shown
    assert event.created_at == Payment.objects.get().updated_at


def test_declined_payment_is_told_and_books_nothing() -> None:
    payment = PaymentFactory(source="tok_declined")

    process_payments()

    assert told_about(payment.public_id) == [(1, "payment.failed")]
    assert attempts_at(payment.public_id) == [(1, "charge", False, "declined", "card_declined")]
    assert not JournalEntry.objects.exists()


def test_history_of_a_payment_whose_gateway_did_not_answer() -> None:
    """Nothing is told until it is known; each question and its answer are kept."""
    payment = PaymentFactory(source="tok_timeout")

    process_payments()

    assert told_about(payment.public_id) == []
    make_due()
    process_payments()

    reference = Payment.objects.get().gateway_reference
    assert told_about(payment.public_id) == [(1, "payment.succeeded")]
    assert attempts_at(payment.public_id) == [
        (1, "charge", False, "unanswered", "timeout"),
        (2, "charge", True, "accepted", reference),
    ]


def test_refund_is_told_under_its_own_id() -> None:
    refund = RefundFactory(money=eur("3.00"))

    process_refunds()

    assert told_about(refund.public_id) == [(1, "refund.succeeded")]
    assert [attempt[:4] for attempt in attempts_at(refund.public_id)] == [
        (1, "refund", False, "accepted")
    ]


def test_outcome_that_is_not_written_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    PaymentFactory()
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(after=die))
        with pytest.raises(WorkerDied):
            process_payments()

    assert not Event.objects.exists()
    assert not GatewayAttempt.objects.exists()
