"""Taking a payment."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from payments.errors import IdempotencyMismatch, NoGateway, ReferenceTaken
from payments.models import Gateway, Merchant, Payment
from payments.models.payments import payment_id


@dataclass(frozen=True, slots=True)
class PaymentWish:
    """What a merchant asks for. `reference` is its own name for it, unique per merchant."""

    money: Money
    source: str
    reference: str = ""
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


def create_payment(
    merchant: Merchant, wish: PaymentWish, *, idempotency_key: str, actor: Actor
) -> tuple[Payment, bool]:
    """Write the payment down as PENDING, due at once; returns it and whether it is a replay.

    Safe to repeat: the same key gives the same payment. Raises IdempotencyMismatch for the same key
    with another wish, ReferenceTaken, and Invalid for an amount that is not positive.
    """
    if wish.money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    digest = digest_of_wish(wish)
    if payment := _find(merchant, idempotency_key):
        return _same_request(payment, digest), True
    public_id = payment_id()
    payment = Payment(
        public_id=public_id,
        merchant=merchant,
        gateway=gateway_for_new_payments(),
        idempotency_key=idempotency_key,
        request_digest=digest,
        reference=wish.reference or public_id,
        amount=wish.money.amount,
        currency=wish.money.currency,
        settlement_currency=wish.money.currency,
        source=wish.source,
        description=wish.description,
        metadata=wish.metadata,
        created_by=str(actor),
        created_at=timezone.now(),
        due_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as refusal:
        if "payments_payment_reference_unique" in str(refusal):
            raise ReferenceTaken(wish.reference) from refusal
        # Another request with the same key was faster: it is the one.
        winner = _find(merchant, idempotency_key)
        if winner is None:
            raise
        return _same_request(winner, digest), True
    return payment, False


def digest_of_wish(wish: Any) -> str:
    """SHA-256 of a wish: the same key with another digest is another request."""
    return hashlib.sha256(json.dumps(asdict(wish), sort_keys=True).encode()).hexdigest()


def gateway_for_new_payments() -> Gateway:
    """The gateway that takes payments. Raises NoGateway if none is configured."""
    gateway = Gateway.objects.exclude(adapter=Gateway.Adapter.NONE).order_by("pk").first()
    if gateway is None:
        raise NoGateway()
    return gateway


def _find(merchant: Merchant, idempotency_key: str) -> Payment | None:
    return (
        Payment.objects.select_related("merchant", "gateway")
        .filter(merchant=merchant, idempotency_key=idempotency_key)
        .first()
    )


def _same_request(payment: Payment, digest: str) -> Payment:
    if payment.request_digest != digest:
        raise IdempotencyMismatch(payment.idempotency_key)
    return payment
