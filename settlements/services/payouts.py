"""Approving and sending what is due to merchants."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.services import audit
from ledger.services.posting import post_all
from ledger.states import transition
from settlements.bookkeeping import entry_for_payout_sent
from settlements.errors import ApproverIsRequester
from settlements.locks import lock_payouts
from settlements.models import Payout, SettlementBatch
from settlements.rails.base import Rail


@transaction.atomic
def approve_payout(payout: Payout, *, actor: Actor) -> Payout:
    """Release a payout for sending. Raises ApproverIsRequester and InvalidTransition."""
    (locked,) = lock_payouts([payout.pk])
    if locked.requested_by == str(actor):
        raise ApproverIsRequester(locked)
    transition(locked, Payout.Status.APPROVED, approved_by=str(actor))
    audit.record("payout.approved", locked.public_id, actor=actor)
    return locked


def send_payouts(payouts: Iterable[Payout], *, rail: Rail) -> list[Payout]:
    """Tell the bank to pay approved payouts. The rail is told by public id and acts once per id.

    The books say SENT before the rail is told: a crash between the two leaves a payout that is sent
    again under the same id, never one that the bank paid and the books do not know.
    """
    sent = _mark_sent([payout.pk for payout in payouts])
    rail.pay(sent)
    return sent


@transaction.atomic
def _mark_sent(pks: list[int]) -> list[Payout]:
    now = timezone.now()
    payouts = lock_payouts(pks)
    for payout in payouts:
        if payout.status != Payout.Status.SENT:
            transition(payout, Payout.Status.SENT, sent_at=now)
    post_all([entry_for_payout_sent(payout, payout.sent_at or now) for payout in payouts])
    return payouts


def mark_paid(payouts_paid_on: dict[int, date]) -> None:
    """Set payouts, given by id, and their batches to PAID. The caller posts the entry."""
    for payout in lock_payouts(payouts_paid_on):
        transition(payout, Payout.Status.PAID, paid_on=payouts_paid_on[payout.pk])
        transition(payout.batch, SettlementBatch.Status.PAID)
