"""The end of work that nobody could do: what it becomes has to be true.

Each `give_up` runs inside the transaction of `parking.discard`, which has checked before that
nothing moved and has locked the row, parked as it was then.
"""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Conflict
from ledger.models import JournalEntry
from ledger.states import move
from payments.bookkeeping import entry_for_transfer
from payments.errors import MoneyMayHaveMoved
from payments.events import Fact, tell
from payments.gateways.base import Declined, FailureCode
from payments.locks import lock_payment, lock_transfers
from payments.models import GatewayEvent, Payment, Refund, Transfer
from payments.representations import represent_payment, represent_refund, represent_transfer
from payments.services.asking import action_of, look_up
from payments.work import Work

# While a gateway still knows our key, it may call a request unseen that it would only not repeat.
KEYS_ARE_KEPT = timedelta(days=1)

GIVEN_UP = FailureCode.GIVEN_UP.value
_WHY = "We could not do it and gave it up; nothing moved."


class GiveUpTooEarly(Conflict):
    code = "too_early_to_give_up"

    def __init__(self, row: object, at: datetime) -> None:
        super().__init__(
            f"{row} can be given up from {at:%Y-%m-%d %H:%M:%S} UTC: before, money may still move"
            " without our seeing it."
        )


class TransferMayHaveMoved(Conflict):
    code = "money_may_have_moved"

    def __init__(self, transfer: Transfer, entry: JournalEntry) -> None:
        super().__init__(f"{entry} stands in the journal under the key of {transfer}: reverse it.")


def check_nothing_moved(row: Work) -> str:
    """How we know that a payment or refund moved nothing; "" for work that asks no gateway.

    Not to be called inside a transaction. Raises MoneyMayHaveMoved and GiveUpTooEarly.
    """
    if not isinstance(row, Payment | Refund):
        return ""
    if row.attempts == 0 or (isinstance(row, Payment) and action_of(row) is None):
        return "The gateway was not asked."
    answer = look_up(row)
    if isinstance(answer, Declined):
        return f"The gateway declined it: {answer.code}."
    if answer is not None:
        raise MoneyMayHaveMoved(row)
    if timezone.now() < row.created_at + KEYS_ARE_KEPT:
        raise GiveUpTooEarly(row, row.created_at + KEYS_ARE_KEPT)
    return "The gateway never saw it."


def give_up_payment(payment: Payment, actor: Actor) -> None:
    """FAILED; a capture or cancellation leaves the authorisation as it was, or EXPIRED if it is."""
    held = lock_payment(payment.pk)
    event = "payment.failed"
    if held.status == Payment.Status.AUTHORIZED:
        event = _give_up_on_authorisation(held)
    else:
        if held.status == Payment.Status.PENDING:
            move(held, Payment.Status.PROCESSING)
        move(held, Payment.Status.FAILED)
        held.failure_code, held.failure_reason = GIVEN_UP, _WHY
    held.save()
    if event:
        fact = Fact(event, held.public_id, held.merchant_id, represent_payment(held))
        tell([fact], at=held.updated_at)


def _give_up_on_authorisation(payment: Payment) -> str:
    """What is told of it; "": it stays as it is, and nobody had asked for anything."""
    assert payment.authorized_until is not None
    action = action_of(payment)
    if action is not None:
        payment.failure_code, payment.failure_reason = GIVEN_UP, _WHY
    payment.amount_to_capture = payment.cancel_requested_at = None
    if payment.authorized_until <= timezone.now():
        move(payment, Payment.Status.EXPIRED)
        return "payment.expired"
    payment.due_at = payment.authorized_until
    payment.attempts = payment.deaths = payment.failures = 0
    return f"payment.{action}_failed" if action else ""


def give_up_refund(refund: Refund, actor: Actor) -> None:
    """FAILED; its amount can be refunded again."""
    lock_payment(refund.payment_id)
    held = (
        Refund.objects.select_for_update(of=("self",)).select_related("payment").get(pk=refund.pk)
    )
    if held.status == Refund.Status.PENDING:
        move(held, Refund.Status.PROCESSING)
    move(held, Refund.Status.FAILED)
    held.failure_code, held.failure_reason = GIVEN_UP, _WHY
    held.save()
    Payment.objects.filter(pk=held.payment_id).update(
        amount_refunded=F("amount_refunded") - held.amount
    )
    fact = Fact("refund.failed", held.public_id, held.merchant_id, represent_refund(held))
    tell([fact], at=held.updated_at)


def give_up_transfer(transfer: Transfer, actor: Actor) -> None:
    """FAILED; a refund no longer counts against what it was to send back.

    Its entry and COMPLETED are written together, so that nothing of it moved; unless somebody else
    posted under its key: then TransferMayHaveMoved is raised while that entry stands.
    """
    if transfer.refund_of_id is not None:
        lock_transfers([transfer.refund_of_id])
    (held,) = lock_transfers([transfer.pk])
    key = entry_for_transfer(held, timezone.now()).idempotency_key  # of its refund as well
    entry = JournalEntry.objects.filter(idempotency_key=key).first()
    if entry is not None and entry.reversed_by is None:
        raise TransferMayHaveMoved(held, entry)
    if held.status == Transfer.Status.ACCEPTED:
        move(held, Transfer.Status.PROCESSING)
    move(held, Transfer.Status.FAILED)
    held.failure_code, held.failure_reason = GIVEN_UP, _WHY
    held.save()
    if held.refund_of_id is not None:
        Transfer.objects.filter(pk=held.refund_of_id).update(
            amount_refunded=F("amount_refunded") - held.amount
        )
    fact = Fact("transfer.failed", held.public_id, held.merchant_id, represent_transfer(held))
    tell([fact], at=held.updated_at)


def give_up_gateway_event(event: GatewayEvent, actor: Actor) -> None:
    """FAILED: whatever it says is left to a person, who settles it."""
    held = GatewayEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
    move(held, GatewayEvent.Status.FAILED)
    held.result = f"Given up by {actor}."[:255]
    held.processed_at = timezone.now()
    held.save()
