"""What an outcome makes of a payment or refund. The caller holds the row and saves it."""

from datetime import datetime, timedelta

from ledger.states import move
from payments import work
from payments.calendar import add_business_days
from payments.gateways.base import (
    AUTHORIZATION_DAYS,
    Accepted,
    Action,
    Declined,
    Outcome,
    Unanswered,
)
from payments.models import Payment, Refund
from payments.services.asking import action_of

PaymentStatus = Payment.Status


def note_payment_outcome(payment: Payment, outcome: Outcome | None, now: datetime) -> None:
    """Set what the gateway's answer changes, if it was asked, else what time changes."""
    action = action_of(payment)
    match outcome:
        case Unanswered():
            payment.due_at = work.retry_at(payment.attempts, now=now)
        case Declined():
            _note_decline(payment, outcome)
        case Accepted() if action == Action.AUTHORIZE:
            move(payment, PaymentStatus.AUTHORIZED)
            payment.gateway_reference = outcome.gateway_reference
            payment.authorized_until = outcome.authorized_until or now + timedelta(
                days=AUTHORIZATION_DAYS
            )
            payment.due_at = payment.authorized_until
        case Accepted() if action == Action.CANCEL:
            _end(payment, PaymentStatus.CANCELED)
        case Accepted():
            _note_success(payment, outcome, now)
        case None:
            _note_time(payment, now)


def _note_decline(payment: Payment, decline: Declined) -> None:
    """A declined capture or cancellation leaves the authorisation as it was."""
    payment.failure_code = decline.code
    payment.failure_reason = decline.reason
    if payment.status == PaymentStatus.AUTHORIZED:
        payment.amount_to_capture = None
        payment.cancel_requested_at = None
        payment.due_at = payment.authorized_until
    else:
        _end(payment, PaymentStatus.FAILED)


def _note_success(payment: Payment, accepted: Accepted, now: datetime) -> None:
    """All of a charge moved, or of an authorisation what was captured; the rest is released."""
    if payment.amount_to_capture is None:
        payment.amount_captured = payment.amount
        payment.gateway_reference = accepted.gateway_reference
    else:
        payment.amount_captured = payment.amount_to_capture
    _end(payment, PaymentStatus.SUCCEEDED)
    payment.failure_code = payment.failure_reason = ""
    _note_settlement(payment, payment.gateway.settlement_days, now)
    percentage = payment.captured_money.basis_points(payment.gateway.fee_basis_points)
    payment.processor_fee_expected = percentage.amount + payment.gateway.fee_fixed


def _note_time(payment: Payment, now: datetime) -> None:
    """Nothing was asked: an authorisation runs out, or is looked at again when it does."""
    if payment.authorized_until is not None and payment.authorized_until <= now:
        _end(payment, PaymentStatus.EXPIRED)
    else:
        payment.due_at = payment.authorized_until


def _end(payment: Payment, status: PaymentStatus) -> None:
    move(payment, status)
    payment.amount_to_capture = None
    payment.due_at = None


def note_refund_outcome(refund: Refund, outcome: Outcome, now: datetime) -> None:
    """Set what the gateway's answer changes."""
    match outcome:
        case Accepted(gateway_reference=reference):
            move(refund, Refund.Status.SUCCEEDED)
            refund.gateway_reference = reference
            refund.processor_fee_expected = 0
            _note_settlement(refund, refund.payment.gateway.settlement_days, now)
        case Declined(code=code, reason=reason):
            move(refund, Refund.Status.FAILED)
            refund.failure_code = code
            refund.failure_reason = reason
        case Unanswered():
            refund.due_at = work.retry_at(refund.attempts, now=now)
            return
    refund.due_at = None


def _note_settlement(row: Payment | Refund, days: int, now: datetime) -> None:
    """Money moved now; the processor reports it by the day its contract says."""
    row.effective_at = now
    row.settlement_due_on = add_business_days(now.date(), days)
    row.processor_fee_currency = row.currency
