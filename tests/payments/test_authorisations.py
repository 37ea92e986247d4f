"""Manual capture: authorised, then captured once in whole or in part, given back, or run out."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.errors import Invalid
from ledger.models import AuditEvent, JournalEntry
from ledger.money import Money
from payments.errors import (
    AlreadyRequested,
    AuthorizationExpired,
    CaptureExceedsAuthorized,
    CurrencyMismatch,
    PaymentNotAuthorized,
)
from payments.gateways.base import Declined, Unanswered
from payments.models import Payment, SimulatedOperation
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.processing import process_payments, process_refunds
from tests.factories import (
    ACTOR,
    AuthorizedPaymentFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import balances, t_accounts
from tests.support.gateways import EventfulGateway, use_gateway
from tests.support.races import run_together


def operations(payment: Payment) -> list[tuple[str, int, str]]:
    """What the processor did about a payment: (kind, minor units, outcome)."""
    rows = SimulatedOperation.objects.filter(merchant=payment.merchant.code).order_by("pk")
    return [(row.kind, row.amount, row.outcome) for row in rows]


def process(payment: Payment) -> Payment:
    """What is due becomes due now, and one worker comes by."""
    Payment.objects.filter(pk=payment.pk, due_at__isnull=False).update(
        due_at=timezone.now(), leased_until=timezone.now()
    )
    process_payments()
    return Payment.objects.get(pk=payment.pk)


def run_out(payment: Payment) -> datetime:
    """A week passes, for us and for the processor."""
    until = timezone.now()
    Payment.objects.filter(pk=payment.pk).update(authorized_until=until, due_at=until)
    SimulatedOperation.objects.update(created_at=until - timedelta(days=7))
    return until


# --- Authorising ---------------------------------------------------------------------------


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
