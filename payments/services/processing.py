"""Claim, call, complete: what a worker does with payments and refunds that are due.

The gateway is called between two transactions, never inside one. A crash before the second leaves
the row as it is and due again when its lease is over; it is then asked about, never charged anew.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DataError, IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from ledger import sql
from ledger.errors import DomainError
from ledger.services.posting import post_all
from payments import work
from payments.bookkeeping import entry_for_payment, entry_for_refund
from payments.gateways.base import Outcome
from payments.locks import lock_payments
from payments.models import Payment, Refund
from payments.services.asking import ask
from payments.services.fees import FeePlans
from payments.services.outcomes import note_payment_outcome, note_refund_outcome

logger = logging.getLogger(__name__)

Operation = TypeVar("Operation", Payment, Refund)

# An authorisation that is due stays one until the gateway has answered.
_STATUS_WHEN_ASKED = Case(
    When(status=Payment.Status.PENDING, then=Value(Payment.Status.PROCESSING.value)),
    default=F("status"),
)
_REFUND_OUTCOME_FIELDS = [
    "status",
    "failure_code",
    "failure_reason",
    "gateway_reference",
    "effective_at",
    "due_at",
    "settlement_due_on",
    "processor_fee_expected",
    "processor_fee_currency",
    "updated_at",
]


def process_payments(limit: int = work.BATCH_SIZE_MAX) -> int:
    """Take one batch of due payments as far as the gateways answer; returns how many it took.

    Charges, authorisations, captures and cancellations are asked for; authorisations whose time is
    over expire.
    """
    claimed = work.claim(Payment, limit=limit, status=_STATUS_WHEN_ASKED)
    outcomes = ask(_with_relations(claimed))
    _complete(claimed, outcomes, _complete_payments)
    return len(claimed)


def process_refunds(limit: int = work.BATCH_SIZE_MAX) -> int:
    """Take one batch of due refunds as far as the gateways answer; returns how many it took."""
    claimed = work.claim(Refund, limit=limit, status=Refund.Status.PROCESSING)
    outcomes = ask(_with_relations(claimed))
    _complete(claimed, outcomes, _complete_refunds)
    return len(claimed)


def _complete(
    claimed: list[Operation],
    outcomes: dict[int, Outcome],
    complete: Callable[[list[Operation], dict[int, Outcome]], None],
) -> None:
    """Write the batch; if one row cannot be written, the others are, and that one waits."""
    if not claimed:
        return
    try:
        complete(claimed, outcomes)
    except (DomainError, DataError, IntegrityError):  # a row's own fault; a lost database is not
        if len(claimed) == 1:
            # Its lease stands: it comes back when that is over, and so on until somebody mends it.
            logger.exception("work.cannot_be_written: %s", claimed[0])
            return
        for row in claimed:
            _complete([row], outcomes, complete)


def _with_relations(claimed: list[Operation]) -> list[Operation]:
    if not claimed:
        return []
    model = type(claimed[0])
    related = ("merchant", "gateway") if model is Payment else ("merchant", "payment__gateway")
    return list(
        model._default_manager.select_related(*related)
        .filter(pk__in=[row.pk for row in claimed])
        .order_by("pk")
    )


@transaction.atomic
def _complete_payments(claimed: list[Payment], outcomes: dict[int, Outcome]) -> None:
    """Write all outcomes and postings in one transaction, to the rows that are still ours."""
    held = _with_relations(work.still_held(Payment, claimed))
    now = timezone.now()
    plans = FeePlans(payment.merchant for payment in held)
    paid = []
    for payment in held:
        note_payment_outcome(payment, outcomes.get(payment.pk), now)
        if payment.status == Payment.Status.SUCCEEDED:
            payment.fee = plans.fee_for(payment.merchant, payment.captured_money, on=now.date())
            paid.append(payment)
    post_all([entry_for_payment(payment, now) for payment in paid])
    sql.execute(
        "payments",
        "complete_payments",
        ids=[row.pk for row in held],
        statuses=[row.status for row in held],
        captured=[row.amount_captured for row in held],
        to_capture=[row.amount_to_capture for row in held],
        cancel_requested_ats=[row.cancel_requested_at for row in held],
        authorized_untils=[row.authorized_until for row in held],
        fees=[row.fee for row in held],
        failure_codes=[row.failure_code for row in held],
        failure_reasons=[row.failure_reason for row in held],
        gateway_references=[row.gateway_reference for row in held],
        effective_ats=[row.effective_at for row in held],
        due_ats=[row.due_at for row in held],
        settlement_due_ons=[row.settlement_due_on for row in held],
        processor_fees=[row.processor_fee_expected for row in held],
        processor_fee_currencies=[row.processor_fee_currency for row in held],
    )


@transaction.atomic
def _complete_refunds(claimed: list[Refund], outcomes: dict[int, Outcome]) -> None:
    lock_payments({row.payment_id for row in claimed})
    held = _with_relations(work.still_held(Refund, claimed))
    now = timezone.now()
    for refund in held:
        note_refund_outcome(refund, outcomes[refund.pk], now)
        if refund.status == Refund.Status.FAILED:
            Payment.objects.filter(pk=refund.payment_id).update(
                amount_refunded=F("amount_refunded") - refund.amount
            )
    post_all([entry_for_refund(row, now) for row in held if row.status == "SUCCEEDED"])
    Refund.objects.bulk_update(held, _REFUND_OUTCOME_FIELDS)
