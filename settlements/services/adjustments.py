"""Correcting what a merchant is owed: one person asks, another one agrees."""

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid
from ledger.money import AMOUNT_MAX, Money
from ledger.services import audit
from ledger.services.posting import post_entry
from ledger.states import transition
from payments.models import Merchant
from settlements.bookkeeping import entry_for_adjustment
from settlements.errors import ApproverIsRequester
from settlements.locks import lock_adjustment
from settlements.models import Adjustment


@transaction.atomic
def request_adjustment(
    merchant: Merchant, money: Money, *, reason: str, actor: Actor
) -> Adjustment:
    """Ask for the merchant to be owed more, or, by a negative amount, less. Nothing moves yet.

    Raises Invalid without a reason, and for nothing or too much.
    """
    if not 0 < abs(money.amount) <= AMOUNT_MAX:
        raise Invalid(f"{money} is no amount to adjust by.")
    adjustment = Adjustment.objects.create(
        merchant=merchant,
        currency=money.currency,
        amount=money.amount,
        reason=audit.required(reason),
        requested_by=str(actor),
    )
    audit.record(
        "adjustment.requested",
        adjustment.public_id,
        actor=actor,
        reason=reason,
        after={"merchant": merchant.code, "amount": str(money)},
    )
    return adjustment


@transaction.atomic
def approve_adjustment(adjustment: Adjustment, *, actor: Actor, reason: str = "") -> Adjustment:
    """It is posted, now, and joins the merchant's next batch.

    Raises ApproverIsRequester and InvalidTransition.
    """
    adjustment = lock_adjustment(adjustment.pk)
    if adjustment.requested_by == str(actor):
        raise ApproverIsRequester(adjustment)
    now = timezone.now()
    transition(adjustment, Adjustment.Status.POSTED, decided_by=str(actor), effective_at=now)
    post_entry(entry_for_adjustment(adjustment, now))
    audit.record("adjustment.approved", adjustment.public_id, actor=actor, reason=reason)
    return adjustment


@transaction.atomic
def refuse_adjustment(adjustment: Adjustment, *, actor: Actor, reason: str) -> Adjustment:
    """Nothing will move; whoever asked may take it back so. Raises InvalidTransition."""
    adjustment = lock_adjustment(adjustment.pk)
    transition(adjustment, Adjustment.Status.REFUSED, decided_by=str(actor))
    audit.record(
        "adjustment.refused",
        adjustment.public_id,
        actor=actor,
        reason=audit.required(reason),
    )
    return adjustment
