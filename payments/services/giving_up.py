"""The end of work that nobody could do: what it becomes has to be true.

A payment or refund is given up only if its gateway says that it never saw it, or refused it.
"""

from django.db import transaction
from django.db.models import F

from ledger.actors import Actor
from ledger.states import move
from payments.errors import MoneyMayHaveMoved
from payments.gateways.base import Declined, FailureCode
from payments.locks import lock_payment, lock_transfers
from payments.models import GatewayEvent, Payment, Refund, Transfer
from payments.services.asking import look_up

_GIVEN_UP = FailureCode.GIVEN_UP


def give_up_payment(payment: Payment, actor: Actor) -> None:
    """FAILED, or AUTHORIZED as before the capture or cancellation that could not be done.

    Raises MoneyMayHaveMoved.
    """
    _check_nothing_moved(payment)
    with transaction.atomic():
        held = lock_payment(payment.pk)
        if held.fence != payment.fence:
            raise MoneyMayHaveMoved(payment)
        held.failure_code, held.failure_reason = _GIVEN_UP.value, str(_GIVEN_UP.label)
        if held.status == Payment.Status.AUTHORIZED:
            held.amount_to_capture = held.cancel_requested_at = None
            held.due_at = held.authorized_until
        else:
            if held.status == Payment.Status.PENDING:
                move(held, Payment.Status.PROCESSING)
            move(held, Payment.Status.FAILED)
        held.save()


def give_up_refund(refund: Refund, actor: Actor) -> None:
    """FAILED; its amount can be refunded again. Raises MoneyMayHaveMoved."""
    _check_nothing_moved(refund)
    with transaction.atomic():
        lock_payment(refund.payment_id)
        held = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
        if held.fence != refund.fence:
            raise MoneyMayHaveMoved(refund)
        if held.status == Refund.Status.PENDING:
            move(held, Refund.Status.PROCESSING)
        move(held, Refund.Status.FAILED)
        held.failure_code, held.failure_reason = _GIVEN_UP.value, str(_GIVEN_UP.label)
        held.save()
        Payment.objects.filter(pk=held.payment_id).update(
            amount_refunded=F("amount_refunded") - held.amount
        )


@transaction.atomic
def give_up_transfer(transfer: Transfer, actor: Actor) -> None:
    """FAILED; nothing moved, because an entry and its COMPLETED are written together."""
    if transfer.refund_of_id is not None:
        lock_transfers([transfer.refund_of_id])
    (held,) = lock_transfers([transfer.pk])
    if held.status == Transfer.Status.ACCEPTED:
        move(held, Transfer.Status.PROCESSING)
    move(held, Transfer.Status.FAILED)
    held.failure_code, held.failure_reason = _GIVEN_UP.value, "We gave it up; nothing moved."
    held.save()
    if held.refund_of_id is not None:
        Transfer.objects.filter(pk=held.refund_of_id).update(
            amount_refunded=F("amount_refunded") - held.amount
        )


@transaction.atomic
def give_up_gateway_event(event: GatewayEvent, actor: Actor) -> None:
    """FAILED: whatever it says is left to a person."""
    held = GatewayEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
    move(held, GatewayEvent.Status.FAILED)
    held.result = f"Given up by {actor}."[:255]
    held.save()


def _check_nothing_moved(row: Payment | Refund) -> None:
    answer = look_up(row)
    if answer is not None and not isinstance(answer, Declined):
        raise MoneyMayHaveMoved(row)
