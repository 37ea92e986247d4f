"""Taking payments: one, or a thousand at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import Money
from payments.answers import Answer
from payments.errors import KeyOfEarlierPayment, ReferenceTaken
from payments.models import Merchant, Payment
from payments.models.payments import payment_id
from payments.new_payments import NewPayment
from payments.services.gateways import gateway_for

CREATE_PAYMENT = "create_payment"  # the operation idempotency keys of payments belong to


@dataclass(frozen=True, slots=True)
class PaymentWish:
    """What a merchant asks for. `reference` is its own name for it, unique per merchant."""

    money: Money
    source: str
    reference: str = ""
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    capture: str = Payment.Capture.AUTOMATIC.value  # as text it is shown and sent faster


def create_payment(
    merchant: Merchant, wish: PaymentWish, *, idempotency_key: str, actor: Actor
) -> Payment:
    """Write the payment down as PENDING, due at once.

    Raises ReferenceTaken, KeyOfEarlierPayment, NoGateway, and Invalid for an amount that is not
    positive; then nothing has changed.
    """
    if wish.money.amount <= 0:
        raise Invalid("The amount must be more than zero.")
    payment = draft_of(merchant, wish, idempotency_key=idempotency_key, actor=actor).as_model()
    payment.gateway = gateway_for(merchant)
    try:
        with transaction.atomic():
            payment.save(force_insert=True)
    except IntegrityError as refusal:
        # Which of its constraints PostgreSQL looks at first says nothing.
        if Payment.objects.filter(merchant=merchant, reference=payment.reference).exists():
            raise ReferenceTaken(wish.reference) from refusal
        if "payments_payment_once_per_key" in str(refusal):
            raise KeyOfEarlierPayment(idempotency_key) from refusal
        raise
    return payment


def draft_of(
    merchant: Merchant,
    wish: PaymentWish,
    *,
    idempotency_key: str,
    actor: Actor,
    public_id: str = "",
    created_at: datetime | None = None,
) -> NewPayment:
    """The payment as it will be written, under a new id and now unless said otherwise."""
    public_id = public_id or payment_id()
    return NewPayment(
        public_id=public_id,
        merchant=merchant,
        idempotency_key=idempotency_key,
        reference=wish.reference or public_id,
        money=wish.money,
        capture=wish.capture,
        source=wish.source,
        description=wish.description,
        metadata=wish.metadata,
        created_by=str(actor),
        created_at=created_at or timezone.now(),
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A payment to write, and the answer to the request that asked for it, which says which one.

    With the digest of an API key, the payment is only written if that key may write payments.
    """

    payment: NewPayment
    answer: Answer
    api_key_digest: str = ""


def create_payments(merchant: Merchant, drafts: Sequence[Draft]) -> set[str]:
    """Write down the payments nothing speaks against; their public ids.

    With their keys and answers (202), all due at once, in one statement for each API key, author
    and way of capture there is among them. Left out are those whose idempotency key or
    reference was used before, is in use right now or is that of another draft, those whose API key
    does not count, and all of them if no gateway takes payments: the caller finds out why by trying
    one of them with `create_payment`.
    """
    alike: dict[tuple[str, str, str], list[Draft]] = {}
    for draft in drafts:
        payment = draft.payment
        common = (draft.api_key_digest, payment.created_by, payment.capture)
        alike.setdefault(common, []).append(draft)
    return {public_id for each in alike.values() for public_id in _create_alike(merchant, each)}


def _create_alike(merchant: Merchant, drafts: Sequence[Draft]) -> list[str]:
    """Of drafts with the same key, author and capture, which nearly all have that come at once."""
    payments = [draft.payment for draft in drafts]
    answers = [draft.answer for draft in drafts]
    lengths = [len(answer.body) for answer in answers]
    rows = sql.texts_kept(
        "payments",
        "create_payments",
        merchant_id=merchant.pk,
        route=CREATE_PAYMENT,
        api_key_digest=drafts[0].api_key_digest,
        public_ids=[payment.public_id for payment in payments],
        keys=[payment.idempotency_key for payment in payments],
        request_ids=[answer.request_id for answer in answers],
        locations=[answer.location for answer in answers],
        request_digests=[answer.digest.hex() for answer in answers],
        # In one piece: an array of bytes is written, and read, as text of twice their length.
        bodies=b"".join([answer.body for answer in answers]),
        body_starts=list(accumulate(lengths, initial=1))[:-1],
        body_lengths=lengths,
        references=[payment.reference for payment in payments],
        amounts=[payment.money.amount for payment in payments],
        currencies=[payment.money.currency for payment in payments],
        capture=payments[0].capture,
        sources=[payment.source for payment in payments],
        descriptions=[payment.description for payment in payments],
        metadata=[
            json.dumps(payment.metadata) if payment.metadata else "{}" for payment in payments
        ],
        created_by=payments[0].created_by,
        created_at=[payment.created_at for payment in payments],
    )
    return [public_id for (public_id,) in rows]
