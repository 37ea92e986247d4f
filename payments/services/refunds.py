"""Giving money back."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from payments.errors import (
    CurrencyMismatch,
    IdempotencyMismatch,
    PaymentNotRefundable,
    ReferenceTaken,
    RefundExceedsPayment,
)
from payments.locks import lock_payment
from payments.models import Payment, Refund
from payments.models.refunds import refund_id
from payments.services.payments import digest_of_wish


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What a merchant asks for; without `money`, all that is left."""

    payment: str
    money: Money | None = None
    reference: str = ""
    reason: str = ""


def create_refund(
    payment: Payment, wish: RefundWish, *, idempotency_key: str, actor: Actor
) -> tuple[Refund, bool]:
    """Write the refund down as PENDING, due at once; returns it and whether it is a replay.

    It counts against what is refundable from now on. Raises PaymentNotRefundable, CurrencyMismatch,
    RefundExceedsPayment, IdempotencyMismatch and ReferenceTaken; then nothing has changed.
    """
    try:
        return _create(payment.pk, wish, idempotency_key, actor)
    except IntegrityError as refusal:
        if "payments_refund_reference_unique" in str(refusal):
            raise ReferenceTaken(wish.reference) from refusal
        if "payments_refund_once_per_key" in str(refusal):
            raise IdempotencyMismatch(idempotency_key) from refusal
        raise


@transaction.atomic
def _create(
    payment_pk: int, wish: RefundWish, idempotency_key: str, actor: Actor
) -> tuple[Refund, bool]:
    payment = lock_payment(payment_pk)
    digest = digest_of_wish(wish)
    known = Refund.objects.filter(
        merchant=payment.merchant, idempotency_key=idempotency_key
    ).first()
    if known is not None:
        if known.request_digest != digest:
            raise IdempotencyMismatch(idempotency_key)
        return known, True
    money = _refundable(payment, wish)
    public_id = refund_id()
    refund = Refund.objects.create(
        public_id=public_id,
        payment=payment,
        merchant=payment.merchant,
        idempotency_key=idempotency_key,
        request_digest=digest,
        reference=wish.reference or public_id,
        amount=money.amount,
        currency=money.currency,
        settlement_currency=payment.settlement_currency,
        reason=wish.reason,
        created_by=str(actor),
        created_at=timezone.now(),
        due_at=timezone.now(),
    )
    Payment.objects.filter(pk=payment.pk).update(
        amount_refunded=F("amount_refunded") + money.amount
    )
    return refund, False


def _refundable(payment: Payment, wish: RefundWish) -> Money:
    if payment.status != Payment.Status.SUCCEEDED:
        raise PaymentNotRefundable(payment, payment.status)
    money = wish.money if wish.money is not None else payment.refundable
    if money.currency != payment.currency:
        raise CurrencyMismatch(money.currency, payment.currency)
    if money.amount <= 0 and wish.money is not None:
        raise Invalid("The amount must be more than zero.")
    if money.amount <= 0 or money > payment.refundable:
        raise RefundExceedsPayment(payment, payment.refundable, money)
    return money
