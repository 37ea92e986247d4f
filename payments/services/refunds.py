"""Giving money back."""

import hashlib
import json
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from payments.errors import (
    CurrencyMismatch,
    KeyOfEarlierRefund,
    PaymentNotRefundable,
    ReferenceTaken,
    RefundExceedsPayment,
)
from payments.locks import lock_payment
from payments.models import Payment, Refund
from payments.models.refunds import refund_id


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What a merchant asks for; without `money`, all that is left."""

    payment: str
    money: Money | None = None
    reference: str = ""
    reason: str = ""


@transaction.atomic
def create_refund(
    payment: Payment, wish: RefundWish, *, idempotency_key: str, actor: Actor
) -> Refund:
    """Write the refund down as PENDING, due at once.

    It counts against what is refundable from now on. Raises PaymentNotRefundable, CurrencyMismatch,
    RefundExceedsPayment, ReferenceTaken, KeyOfEarlierRefund, and Invalid for an amount that is not
    positive; then nothing has changed.
    """
    payment = lock_payment(payment.pk)
    if Refund.objects.filter(merchant=payment.merchant, idempotency_key=idempotency_key).exists():
        raise KeyOfEarlierRefund(idempotency_key)
    money = _refundable(payment, wish)
    public_id = refund_id()
    refund = Refund(
        public_id=public_id,
        payment=payment,
        merchant=payment.merchant,
        idempotency_key=idempotency_key,
        request_digest=_digest_of(wish),
        reference=wish.reference or public_id,
        amount=money.amount,
        currency=money.currency,
        settlement_currency=payment.settlement_currency,
        reason=wish.reason,
        created_by=str(actor),
        created_at=timezone.now(),
        due_at=timezone.now(),
    )
    _insert(refund)
    Payment.objects.filter(pk=payment.pk).update(
        amount_refunded=F("amount_refunded") + money.amount
    )
    return refund


def _digest_of(wish: RefundWish) -> str:
    return hashlib.sha256(json.dumps(asdict(wish), sort_keys=True).encode()).hexdigest()


def _insert(refund: Refund) -> None:
    try:
        with transaction.atomic():
            refund.save(force_insert=True)
    except IntegrityError as refusal:
        if "payments_refund_reference_unique" in str(refusal):
            raise ReferenceTaken(refund.reference) from refusal
        if "payments_refund_once_per_key" in str(refusal):
            raise KeyOfEarlierRefund(refund.idempotency_key) from refusal
        raise


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
