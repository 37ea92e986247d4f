"""Claim, call, complete: what a worker does with payments and refunds that are due.

The gateway is called between two transactions, never inside one. A crash before the second leaves
the row PROCESSING and due again when its lease is over; it is then asked about, never charged anew.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from ledger import sql
from ledger.errors import DomainError
from ledger.services.posting import post_all
from ledger.states import move
from payments import gateways, work
from payments.bookkeeping import entry_for_payment, entry_for_refund
from payments.calendar import add_business_days
from payments.errors import NoGateway
from payments.gateways.base import (
    Accepted,
    Action,
    Declined,
    GatewayRequest,
    Outcome,
    Unanswered,
)
from payments.locks import lock_payments
from payments.models import Payment, Refund
from payments.services.fees import FeePlans

logger = logging.getLogger(__name__)

Operation = TypeVar("Operation", Payment, Refund)

_OUTCOME_FIELDS = [
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
    """Take one batch of due payments as far as the gateways answer; returns how many it took."""
    claimed = work.claim(Payment, limit=limit, status=Payment.Status.PROCESSING)
    outcomes = _ask(_with_relations(claimed), _payment_request)
    _complete(claimed, outcomes, _complete_payments)
    return len(claimed)


def process_refunds(limit: int = work.BATCH_SIZE_MAX) -> int:
    """Take one batch of due refunds as far as the gateways answer; returns how many it took."""
    claimed = work.claim(Refund, limit=limit, status=Refund.Status.PROCESSING)
    outcomes = _ask(_with_relations(claimed), _refund_request)
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


def _payment_request(payment: Payment) -> GatewayRequest:
    return GatewayRequest(
        key=payment.public_id,
        action=Action.CHARGE,
        money=payment.money,
        source=payment.source,
        merchant=payment.merchant.code,
        reference=payment.reference,
    )


def _refund_request(refund: Refund) -> GatewayRequest:
    return GatewayRequest(
        key=refund.public_id,
        action=Action.REFUND,
        money=refund.money,
        source=refund.payment.source,
        merchant=refund.merchant.code,
        reference=refund.reference,
        parent_reference=refund.payment.reference,
    )


def _ask(
    rows: Sequence[Operation], request_of: Callable[[Operation], GatewayRequest]
) -> dict[int, Outcome]:
    """The gateways' outcomes by row id. A row tried before is looked up first."""
    by_gateway = defaultdict(list)
    for row in rows:
        payment = row if isinstance(row, Payment) else row.payment
        by_gateway[payment.gateway].append(row)
    outcomes: dict[int, Outcome] = {}
    for record, group in by_gateway.items():
        try:
            gateway = gateways.adapter_for(record)
        except NoGateway as problem:
            outcomes.update((row.pk, Unanswered(problem.code)) for row in group)
            continue
        asked_before = [row for row in group if row.attempts > 1]
        answers = gateway.look_up([row.public_id for row in asked_before])
        for row, answer in zip(asked_before, answers, strict=True):
            if answer is not None:
                outcomes[row.pk] = answer
        unasked = [row for row in group if row.pk not in outcomes]
        answered = gateway.perform([request_of(row) for row in unasked])
        outcomes.update((row.pk, out) for row, out in zip(unasked, answered, strict=True))
    return outcomes


@transaction.atomic
def _complete_payments(claimed: list[Payment], outcomes: dict[int, Outcome]) -> None:
    """Write all outcomes and postings in one transaction, to the rows that are still ours."""
    held = _with_relations(work.still_held(Payment, claimed))
    now = timezone.now()
    plans = FeePlans(payment.merchant for payment in held)
    for payment in held:
        _note_outcome(payment, outcomes[payment.pk], now)
        if payment.status == Payment.Status.SUCCEEDED:
            payment.fee = plans.fee_for(payment.merchant, payment.money, on=now.date())
    post_all([entry_for_payment(row, now) for row in held if row.status == "SUCCEEDED"])
    sql.execute(
        "payments",
        "complete_payments",
        ids=[row.pk for row in held],
        statuses=[row.status for row in held],
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
        _note_outcome(refund, outcomes[refund.pk], now)
        if refund.status == Refund.Status.FAILED:
            Payment.objects.filter(pk=refund.payment_id).update(
                amount_refunded=F("amount_refunded") - refund.amount
            )
    post_all([entry_for_refund(row, now) for row in held if row.status == "SUCCEEDED"])
    Refund.objects.bulk_update(held, _OUTCOME_FIELDS)


def _note_outcome(row: Payment | Refund, outcome: Outcome, now: datetime) -> None:
    """Set the outcome's fields on a held row; the caller saves it."""
    payment = row if isinstance(row, Payment) else row.payment
    match outcome:
        case Accepted(gateway_reference=reference):
            move(row, "SUCCEEDED")
            row.gateway_reference = reference
            row.effective_at = now
            row.settlement_due_on = add_business_days(now.date(), payment.gateway.settlement_days)
            row.processor_fee_currency = row.currency
            row.processor_fee_expected = 0
            if isinstance(row, Payment):
                percentage = row.money.basis_points(payment.gateway.fee_basis_points)
                row.processor_fee_expected = percentage.amount + payment.gateway.fee_fixed
        case Declined(code=code, reason=reason):
            move(row, "FAILED")
            row.failure_code = code
            row.failure_reason = reason
        case Unanswered():
            row.due_at = work.retry_at(row.attempts, now=now)
            return
    row.due_at = None
