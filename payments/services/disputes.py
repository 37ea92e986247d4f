"""Disputes: the payer's bank pulls money back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from ledger.money import Money
from payments.models import Dispute, Payment


@dataclass(frozen=True, slots=True)
class DisputeNotice:
    """A processor says a payment is disputed; `reference` is its name for the dispute."""

    payment: Payment
    reference: str
    money: Money
    effective_at: datetime


@transaction.atomic
def record_disputes(notices: Sequence[DisputeNotice]) -> list[Dispute]:
    """The dispute of each notice, opened if it is new. The caller posts its entry."""
    Dispute.objects.bulk_create(
        [
            Dispute(
                payment=notice.payment,
                merchant=notice.payment.merchant,
                reference=notice.reference,
                amount=notice.money.amount,
                currency=notice.money.currency,
                effective_at=notice.effective_at,
            )
            for notice in notices
        ],
        ignore_conflicts=True,
    )
    by_reference = {
        dispute.reference: dispute
        for dispute in Dispute.objects.select_related("merchant", "payment__gateway").filter(
            reference__in=[notice.reference for notice in notices]
        )
    }
    return [by_reference[notice.reference] for notice in notices]
