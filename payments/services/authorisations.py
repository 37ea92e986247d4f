"""What a merchant does with an authorised payment: take the money, or let it go."""

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from ledger.services import audit
from payments.errors import (
    AlreadyRequested,
    AuthorizationExpired,
    CaptureExceedsAuthorized,
    CurrencyMismatch,
    PaymentNotAuthorized,
)
from payments.locks import lock_payment
from payments.models import Payment


@transaction.atomic
def capture_payment(payment: Payment, *, money: Money | None = None, actor: Actor) -> Payment:
    """Have the gateway capture the authorised payment, or `money` of it and release the rest.

    It is due at once and AUTHORIZED until the gateway has answered. Raises PaymentNotAuthorized,
    AuthorizationExpired, AlreadyRequested, CurrencyMismatch, CaptureExceedsAuthorized, and Invalid
    for an amount that is not positive.
    """
    payment = _lock_authorised(payment)
    money = payment.money if money is None else money
    if money.currency != payment.currency:
        raise CurrencyMismatch(money.currency, payment.currency)
    if money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    if money > payment.money:
        raise CaptureExceedsAuthorized(payment, payment.money, money)
    payment.amount_to_capture = money.amount
    audit.record(
        "payment.capture_requested", payment.public_id, actor=actor, after={"amount": str(money)}
    )
    return _make_due(payment)


@transaction.atomic
def cancel_payment(payment: Payment, *, actor: Actor) -> Payment:
    """Have the gateway give the authorised payment back; nothing moves.

    It is due at once and AUTHORIZED until the gateway has answered. Raises PaymentNotAuthorized,
    AuthorizationExpired, AlreadyRequested.
    """
    payment = _lock_authorised(payment)
    payment.cancel_requested_at = timezone.now()
    audit.record("payment.cancel_requested", payment.public_id, actor=actor)
    return _make_due(payment)


def _lock_authorised(payment: Payment) -> Payment:
    """The payment, locked, if it can still be captured or canceled: only one of them, once."""
    payment = lock_payment(payment.pk)
    if payment.status != Payment.Status.AUTHORIZED:
        raise PaymentNotAuthorized(payment, payment.status)
    if payment.amount_to_capture is not None:
        raise AlreadyRequested(payment, "capture")
    if payment.cancel_requested_at is not None:
        raise AlreadyRequested(payment, "cancellation")
    assert payment.authorized_until is not None
    if payment.authorized_until <= timezone.now():
        raise AuthorizationExpired(payment, payment.authorized_until)
    return payment


def _make_due(payment: Payment) -> Payment:
    payment.due_at = timezone.now()
    payment.attempts = 0
    payment.failure_code = payment.failure_reason = ""
    # A worker that has it for its expiry finds another fence and writes nothing.
    payment.fence += 1
    payment.holder = None
    payment.deaths = payment.failures = 0
    payment.problem = ""
    payment.save(
        update_fields=[
            "amount_to_capture",
            "cancel_requested_at",
            "due_at",
            "attempts",
            "fence",
            "holder",
            "deaths",
            "failures",
            "problem",
            "failure_code",
            "failure_reason",
            "updated_at",
        ]
    )
    return payment
