"""Disputes: the payer's bank pulls money back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.money import Money
from ledger.services import audit
from ledger.services.posting import post_entry
from ledger.states import transition
from payments.bookkeeping import entry_for_dispute_opened, entry_for_dispute_won
from payments.errors import (
    CurrencyMismatch,
    DisputeExceedsPayment,
    DisputeReferenceTaken,
    PaymentNotDisputable,
)
from payments.events import Fact, tell
from payments.locks import lock_dispute, lock_disputes, lock_payment
from payments.models import Dispute, Payment
from payments.representations import represent_dispute
from payments.services.fees import dispute_fees


@dataclass(frozen=True, slots=True)
class DisputeNotice:
    """A processor says a payment is disputed; `reference` is its name for the dispute."""

    payment: Payment
    reference: str
    money: Money
    effective_at: datetime


@transaction.atomic
def open_dispute(notice: DisputeNotice, *, actor: Actor) -> Dispute:
    """The dispute of the notice: opened, and posted, if it is new.

    The merchant owes the money at once, and the dispute fee of its payment's fee plan. Raises
    PaymentNotDisputable, CurrencyMismatch, DisputeExceedsPayment, and DisputeReferenceTaken if
    another dispute has the reference.
    """
    payment = lock_payment(notice.payment.pk)
    known = Dispute.objects.filter(reference=notice.reference).first()
    if known is not None:
        if (known.payment_id, known.money) != (payment.pk, notice.money):
            raise DisputeReferenceTaken(notice.reference)
        return known
    if payment.status != Payment.Status.SUCCEEDED:
        raise PaymentNotDisputable(payment, payment.status)
    if notice.money.currency != payment.currency:
        raise CurrencyMismatch(notice.money.currency, payment.currency)
    if not 0 < notice.money.amount <= payment.amount_captured:
        raise DisputeExceedsPayment(payment, payment.captured_money, notice.money)
    dispute = Dispute.objects.create(
        payment=payment,
        merchant=payment.merchant,
        reference=notice.reference,
        amount=notice.money.amount,
        currency=notice.money.currency,
        fee=dispute_fees([payment])[payment.pk],
        effective_at=notice.effective_at,
    )
    post_entry(entry_for_dispute_opened(dispute))
    audit.record(
        "dispute.opened", dispute.public_id, actor=actor, after={"amount": str(dispute.money)}
    )
    _tell([dispute])
    return dispute


@transaction.atomic
def review_dispute(dispute: Dispute, *, actor: Actor) -> Dispute:
    """Evidence was sent; no money moves. Raises InvalidTransition. Harmless to repeat."""
    dispute = lock_dispute(dispute.pk)
    if dispute.status != Dispute.Status.UNDER_REVIEW:
        _move(dispute, Dispute.Status.UNDER_REVIEW, actor)
    return dispute


@transaction.atomic
def win_dispute(dispute: Dispute, *, effective_at: datetime, actor: Actor) -> Dispute:
    """The money came back and is owed to the merchant again; our fee stays.

    Raises InvalidTransition. Harmless to repeat.
    """
    dispute = lock_dispute(dispute.pk)
    if dispute.status != Dispute.Status.WON:
        _move(dispute, Dispute.Status.WON, actor, won_at=effective_at)
        post_entry(entry_for_dispute_won(dispute, effective_at))
    return dispute


@transaction.atomic
def lose_dispute(dispute: Dispute, *, actor: Actor) -> Dispute:
    """The money stays gone: nothing more is posted. Raises InvalidTransition.

    Harmless to repeat.
    """
    dispute = lock_dispute(dispute.pk)
    if dispute.status != Dispute.Status.LOST:
        _move(dispute, Dispute.Status.LOST, actor)
    return dispute


def _move(
    dispute: Dispute, status: Dispute.Status, actor: Actor, *, won_at: datetime | None = None
) -> None:
    before = dispute.status
    transition(dispute, status, won_at=won_at)
    audit.record(
        f"dispute.{status.lower()}", dispute.public_id, actor=actor, before={"status": before}
    )
    _tell([dispute])


def _tell(disputes: Sequence[Dispute]) -> None:
    names = {Dispute.Status.OPEN: "opened"}
    facts = [
        Fact(
            f"dispute.{names.get(Dispute.Status(dispute.status), dispute.status.lower())}",
            dispute.public_id,
            dispute.merchant_id,
            represent_dispute(dispute),
        )
        for dispute in disputes
    ]
    tell(facts, at=timezone.now())


@transaction.atomic
def record_disputes(notices: Sequence[DisputeNotice]) -> list[Dispute]:
    """The dispute of each notice, opened if it is new. The caller posts its entry."""
    references = [notice.reference for notice in notices]
    known = set(
        Dispute.objects.filter(reference__in=references).values_list("reference", flat=True)
    )
    fees = dispute_fees(notice.payment for notice in notices)
    Dispute.objects.bulk_create(
        [
            Dispute(
                payment=notice.payment,
                merchant=notice.payment.merchant,
                reference=notice.reference,
                amount=notice.money.amount,
                currency=notice.money.currency,
                fee=fees[notice.payment.pk],
                effective_at=notice.effective_at,
            )
            for notice in notices
        ],
        ignore_conflicts=True,
    )
    by_reference = {
        dispute.reference: dispute
        for dispute in Dispute.objects.select_related("merchant", "payment__gateway").filter(
            reference__in=references
        )
    }
    _tell([dispute for reference, dispute in by_reference.items() if reference not in known])
    return [by_reference[notice.reference] for notice in notices]


@transaction.atomic
def record_wins(won_at: Mapping[int, datetime], *, actor: Actor) -> None:
    """Set disputes, given by id, to WON as of these moments. The caller posts their entries.

    Those that are won by then stay as they are. Raises InvalidTransition for a lost one.
    """
    for dispute in lock_disputes(won_at):
        if dispute.status != Dispute.Status.WON:
            _move(dispute, Dispute.Status.WON, actor, won_at=won_at[dispute.pk])
