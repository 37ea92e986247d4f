"""A thousand payments in a few statements, each answered as if it had been asked for alone."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import DomainError
from ledger.ids import new_ids
from payments.answers import Answer
from payments.errors import IdempotencyMismatch
from payments.models import IdempotencyKey, Merchant, Payment
from payments.models.payments import PAYMENT_PREFIX
from payments.new_payments import NewPayment
from payments.services.idempotency import Asked, answer_once
from payments.services.payments import (
    CREATE_PAYMENT,
    Draft,
    PaymentWish,
    create_payment,
    create_payments,
    draft_of,
)


@dataclass(frozen=True, slots=True)
class Order:
    """One payment of a batch and its own idempotency key."""

    key: str
    wish: PaymentWish

    @property
    def digest(self) -> bytes:
        """SHA-256 of what is asked; that of a request of its own is of its raw body."""
        wish, money = self.wish, self.wish.money
        more = json.dumps(wish.metadata, sort_keys=True) if wish.metadata else ""
        said = [money.amount, money.currency, wish.source, wish.reference, wish.description, more]
        return sha256(f"batch\n{wish.capture}\n{said}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Batch:
    """Who asks for it, in which request, and how a payment is answered: body and location."""

    merchant: Merchant
    actor: Actor
    request_id: str
    body_of: Callable[[Payment | NewPayment], bytes]
    location_of: Callable[[Payment | NewPayment], str]


def create_batch(batch: Batch, orders: Sequence[Order]) -> list[Answer | DomainError]:
    """Write the payments down; per order, as in a request of its own, its answer or refusal.

    A key that was used before for the same payment, in a batch or alone, is answered as it was
    then. What is new and plain is written in one statement, or two if some are captured by hand;
    the rest one by one.
    """
    drafts = _drafts(batch, _plain(orders))
    created = _write(batch.merchant, drafts)
    new = {
        draft.payment.idempotency_key: draft.answer
        for draft in drafts
        if draft.payment.public_id in created
    }
    # In order: the first order with a key made its payment, later ones find it.
    answers = [new.pop(order.key, None) for order in orders]
    rest = [order.key for order, answer in zip(orders, answers, strict=True) if answer is None]
    known = _answered_before(batch.merchant, rest)
    return [
        answer or _replayed(order, known) or _alone(batch, order)
        for order, answer in zip(orders, answers, strict=True)
    ]


def _plain(orders: Iterable[Order]) -> list[Order]:
    """The orders without those whose key or reference another one before them has."""
    keys, references, plain = set(), set(), []
    for order in orders:
        if order.key not in keys and order.wish.reference not in references:
            plain.append(order)
        keys.add(order.key)
        if order.wish.reference:
            references.add(order.wish.reference)
    return plain


def _drafts(batch: Batch, orders: Sequence[Order]) -> list[Draft]:
    now = timezone.now()
    return [
        _draft(batch, order, public_id=public_id, created_at=now)
        for order, public_id in zip(orders, new_ids(PAYMENT_PREFIX, len(orders)), strict=True)
    ]


def _draft(batch: Batch, order: Order, *, public_id: str, created_at: datetime) -> Draft:
    payment = draft_of(
        batch.merchant,
        order.wish,
        idempotency_key=order.key,
        actor=batch.actor,
        public_id=public_id,
        created_at=created_at,
    )
    return Draft(payment, _answer(batch, order, payment))


def _answer(batch: Batch, order: Order, payment: Payment | NewPayment) -> Answer:
    body, location = batch.body_of(payment), batch.location_of(payment)
    return Answer(202, body, location, order.digest, batch.request_id)


def _write(merchant: Merchant, drafts: list[Draft]) -> set[str]:
    try:
        with transaction.atomic():
            return create_payments(merchant, drafts)
    except IntegrityError:
        # Somebody took a key or a reference since the statement looked: one by one will say who.
        return set()


def _answered_before(
    merchant: Merchant, keys: Sequence[str]
) -> dict[str, tuple[IdempotencyKey, Payment]]:
    if not keys:
        return {}
    records = IdempotencyKey.objects.filter(merchant=merchant, route=CREATE_PAYMENT, key__in=keys)
    payments = {
        payment.idempotency_key: payment
        for payment in Payment.objects.filter(merchant=merchant, idempotency_key__in=keys)
    }
    return {
        record.key: (record, payments[record.key]) for record in records if record.key in payments
    }


def _replayed(
    order: Order, known: dict[str, tuple[IdempotencyKey, Payment]]
) -> Answer | DomainError | None:
    """A body is compared byte by byte only alone: in a batch it is the payment that counts."""
    if order.key not in known:
        return None
    record, payment = known[order.key]
    if not _is_same(payment, order.wish):
        return IdempotencyMismatch(order.key)
    return Answer(record.http_status, bytes(record.body), record.location, is_replay=True)


def _is_same(payment: Payment, wish: PaymentWish) -> bool:
    reference = payment.reference if payment.reference != payment.public_id else ""
    return wish == PaymentWish(
        money=payment.money,
        source=payment.source,
        reference=reference,
        description=payment.description,
        metadata=payment.metadata,
        capture=payment.capture,
    )


def _alone(batch: Batch, order: Order) -> Answer | DomainError:
    def work() -> Answer:
        payment = create_payment(
            batch.merchant, order.wish, idempotency_key=order.key, actor=batch.actor
        )
        return _answer(batch, order, payment)

    asked = Asked(batch.merchant, CREATE_PAYMENT, order.key, order.digest, batch.request_id)
    try:
        return answer_once(asked, work)
    except DomainError as refusal:
        return refusal
