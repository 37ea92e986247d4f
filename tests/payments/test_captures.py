"""Capturing authorisations: part or all, once, whatever the processor answers."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.errors import Invalid
from ledger.models import JournalEntry
from ledger.money import Money
from payments.errors import (
    AlreadyRequested,
    CaptureExceedsAuthorized,
    CurrencyMismatch,
    PaymentNotAuthorized,
)
from payments.gateways.base import Declined
from payments.models import Payment
from payments.services.authorisations import capture_payment
from payments.services.processing import process_refunds
from tests.factories import (
    ACTOR,
    AuthorizedPaymentFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.authorisations import operations, process
from tests.support.books import balances, t_accounts
from tests.support.gateways import EventfulGateway, use_gateway

# --- Capturing -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_capture_without_an_amount_takes_all_of_it(books: None) -> None:
    payment = AuthorizedPaymentFactory(merchant__code="shop", money=eur("100.00"))

    asked = capture_payment(payment, actor=ACTOR)
    assert (asked.status, asked.amount_to_capture) == ("AUTHORIZED", 100_00)
    captured = process(payment)

    assert (captured.status, captured.captured_money) == ("SUCCEEDED", eur("100.00"))
    assert (captured.fee_money, captured.due_at) == (eur("3.20"), None)
    assert captured.gateway_reference == payment.gateway_reference
    assert operations(payment) == [
        ("authorize", 100_00, "accepted"),
        ("capture", 100_00, "accepted"),
    ]


@pytest.mark.django_db
def test_partial_capture_books_and_charges_what_was_captured(books: None) -> None:
    payment = AuthorizedPaymentFactory(merchant__code="shop", money=eur("100.00"))

    capture_payment(payment, money=eur("60.00"), actor=ACTOR)
    payment = process(payment)

    assert (payment.money, payment.captured_money) == (eur("100.00"), eur("60.00"))
    assert (payment.fee_money, payment.refundable) == (eur("2.04"), eur("60.00"))
    assert (payment.processor_fee_expected, payment.amount_to_capture) == (1_09, None)
    assert payment.settlement_due_on is not None
    assert t_accounts(payment.public_id) == [
        ("debit", "clearing:sim:EUR", 60_00),
        ("credit", "merchant:shop:payable:EUR", 60_00),
        ("debit", "merchant:shop:payable:EUR", 2_04),
        ("credit", "income:fees:EUR", 2_04),
    ]


@pytest.mark.django_db
def test_only_what_was_captured_can_be_refunded() -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))
    capture_payment(payment, money=eur("60.00"), actor=ACTOR)
    payment = process(payment)

    refund = RefundFactory(payment=payment)

    assert refund.money == eur("60.00")
    with (
        pytest.raises(IntegrityError, match="payments_payment_refunds_within"),
        transaction.atomic(),
    ):
        Payment.objects.update(amount_refunded=60_01)


@pytest.mark.django_db
def test_capture_is_asked_for_once() -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))
    capture_payment(payment, money=eur("60.00"), actor=ACTOR)

    with pytest.raises(AlreadyRequested):
        capture_payment(payment, money=eur("40.00"), actor=ACTOR)
    payment = process(payment)
    with pytest.raises(PaymentNotAuthorized):
        capture_payment(payment, money=eur("40.00"), actor=ACTOR)

    assert payment.captured_money == eur("60.00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("money", "refusal"),
    [
        (eur("100.01"), CaptureExceedsAuthorized),
        (eur("0.00"), Invalid),
        (eur("-1.00"), Invalid),
        (Money(1_00, "USD"), CurrencyMismatch),
    ],
)
def test_capture_that_makes_no_sense_is_refused(money: Money, refusal: type[Exception]) -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))

    with pytest.raises(refusal):
        capture_payment(payment, money=money, actor=ACTOR)

    payment.refresh_from_db()
    assert (payment.amount_to_capture, payment.due_at) == (None, payment.authorized_until)


@pytest.mark.django_db
def test_unanswered_capture_is_looked_up_and_booked_once(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = use_gateway(monkeypatch, EventfulGateway())
    payment = process(process(PaymentFactory(capture="manual", source="tok_timeout")))
    capture_payment(payment, money=eur("60.00"), actor=ACTOR)

    payment = process(payment)
    assert (payment.status, payment.amount_to_capture) == ("AUTHORIZED", 60_00)
    assert payment.due_at is not None
    assert payment.due_at < timezone.now() + timedelta(seconds=6)
    assert not JournalEntry.objects.exists()
    payment = process(payment)

    key = f"{payment.public_id}:capture:6000"
    assert (payment.status, payment.captured_money) == ("SUCCEEDED", eur("60.00"))
    assert gateway.asked == [payment.public_id, key]
    assert gateway.looked_up == [payment.public_id, key]
    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db
def test_declined_capture_leaves_the_authorisation_as_it_was(books: None) -> None:
    payment = AuthorizedPaymentFactory(source="tok_capture_declined")
    capture_payment(payment, actor=ACTOR)

    payment = process(payment)

    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "capture_declined")
    assert payment.failure_reason == "The payer's bank declined the capture."
    assert (payment.amount_to_capture, payment.due_at) == (None, payment.authorized_until)
    assert not JournalEntry.objects.exists()


@pytest.mark.django_db
def test_smaller_capture_may_succeed_after_a_declined_one(
    books: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = AuthorizedPaymentFactory(money=eur("100.00"))
    capture_payment(payment, actor=ACTOR)
    with monkeypatch.context() as patch:
        use_gateway(patch, EventfulGateway(outcome=Declined("limit_exceeded", "Too much.")))
        payment = process(payment)
    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "limit_exceeded")

    asked = capture_payment(payment, money=eur("60.00"), actor=ACTOR)
    assert (asked.failure_code, asked.failure_reason) == ("", "")
    payment = process(payment)

    assert (payment.status, payment.captured_money) == ("SUCCEEDED", eur("60.00"))
    assert payment.failure_code == ""


# --- The processor keeps its own order -----------------------------------------------------


@pytest.mark.django_db
def test_processor_captures_an_authorisation_once(books: None) -> None:
    """Even if our row said otherwise."""
    payment = AuthorizedPaymentFactory(money=eur("100.00"))
    capture_payment(payment, money=eur("60.00"), actor=ACTOR)
    captured = process(payment)
    Payment.objects.filter(pk=payment.pk).update(
        status="AUTHORIZED",
        amount_captured=0,
        effective_at=None,
        amount_to_capture=40_00,
        due_at=timezone.now(),
    )

    payment = process(captured)

    assert (payment.status, payment.failure_code) == ("AUTHORIZED", "authorization_gone")
    assert operations(payment) == [
        ("authorize", 100_00, "accepted"),
        ("capture", 60_00, "accepted"),
        ("capture", 40_00, "declined"),
    ]


@pytest.mark.django_db
def test_refund_the_processor_declines_leaves_the_amount_refundable(books: None) -> None:
    payment = SucceededPaymentFactory(source="tok_refund_declined", money=eur("100.00"))
    before = balances()
    refund = RefundFactory(payment=payment, money=eur("30.00"))

    process_refunds()

    refund.refresh_from_db()
    assert (refund.status, refund.failure_code) == ("FAILED", "refund_declined")
    assert Payment.objects.get().refundable == eur("100.00")
    assert balances() == before
