"""Claim, call, complete: what a worker does with payments and refunds that are due.

The gateway is called between two transactions, never inside one. A crash before the second leaves
the row as it is and due again when its lease is over; it is then asked about, never charged anew.
"""

from django.db.models import F
from django.utils import timezone

from ledger import sql
from ledger.services.posting import post_all
from payments import work
from payments.bookkeeping import entry_for_payment, entry_for_refund
from payments.events import Fact, tell
from payments.gateways.base import Declined
from payments.locks import lock_payments
from payments.models import Gateway, Merchant, Payment, Refund
from payments.representations import represent_payment, represent_refund
from payments.services.asking import Answer, ask, note_attempts
from payments.services.engine import Trade, work_off_batch
from payments.services.fees import FeePlans, give_fees_back
from payments.services.outcomes import note_payment_outcome, note_refund_outcome

_REFUND_OUTCOME_FIELDS = [
    "status",
    "holder",
    "fee_returned",
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
    return work_off_batch(PAYMENTS, limit=limit)


def process_refunds(limit: int = work.BATCH_SIZE_MAX) -> int:
    """Take one batch of due refunds as far as the gateways answer; returns how many it took."""
    return work_off_batch(REFUNDS, limit=limit)


def _ask_about_payments(claimed: list[Payment]) -> dict[int, Answer]:
    merchants = Merchant.objects.in_bulk({payment.merchant_id for payment in claimed})
    asked = Gateway.objects.in_bulk({payment.gateway_id for payment in claimed})
    for payment in claimed:
        payment.merchant = merchants[payment.merchant_id]
        payment.gateway = asked[payment.gateway_id]
    return ask(claimed)


def _ask_about_refunds(claimed: list[Refund]) -> dict[int, Answer]:
    payments = Payment.objects.select_related("merchant", "gateway").in_bulk(
        {refund.payment_id for refund in claimed}
    )
    for refund in claimed:
        refund.payment = payments[refund.payment_id]
        refund.merchant = refund.payment.merchant
    return ask(claimed)


def _write_payments(held: list[Payment], answers: dict[int, Answer]) -> None:
    now = timezone.now()
    plans = FeePlans({payment.merchant for payment in held})
    facts, paid = [], []
    for payment in held:
        answer, before = answers.get(payment.pk), payment.status
        note_payment_outcome(payment, answer.outcome if answer else None, now)
        payment.updated_at = now
        if payment.status == Payment.Status.SUCCEEDED:
            plans.price(payment, on=now.date())
            paid.append(payment)
        if name := _event_of(payment, before, answer):
            facts.append(
                Fact(name, payment.public_id, payment.merchant_id, represent_payment(payment))
            )
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
        fee_plan_ids=[row.fee_plan_id for row in held],
        failure_codes=[row.failure_code for row in held],
        failure_reasons=[row.failure_reason for row in held],
        gateway_references=[row.gateway_reference for row in held],
        effective_ats=[row.effective_at for row in held],
        due_ats=[row.due_at for row in held],
        settlement_due_ons=[row.settlement_due_on for row in held],
        processor_fees=[row.processor_fee_expected for row in held],
        processor_fee_currencies=[row.processor_fee_currency for row in held],
        updated_at=now,
    )
    note_attempts(held, answers)
    tell(facts, at=now)


def _event_of(payment: Payment, before: str, answer: Answer | None) -> str:
    """The name of what happened to the payment, if anything did."""
    if payment.status != before:
        return f"payment.{payment.status.lower()}"
    if answer and isinstance(answer.outcome, Declined):
        return f"payment.{answer.action}_failed"
    return ""


def _write_refunds(held: list[Refund], answers: dict[int, Answer]) -> None:
    now = timezone.now()
    facts = []
    for refund in held:
        note_refund_outcome(refund, answers[refund.pk].outcome, now)
        refund.holder, refund.updated_at = None, now
        if refund.status == Refund.Status.FAILED:
            Payment.objects.filter(pk=refund.payment_id).update(
                amount_refunded=F("amount_refunded") - refund.amount
            )
        if refund.due_at is None:
            name = f"refund.{refund.status.lower()}"
            facts.append(Fact(name, refund.public_id, refund.merchant_id, represent_refund(refund)))
    done = [row for row in held if row.status == Refund.Status.SUCCEEDED]
    give_fees_back(done)
    post_all([entry_for_refund(row, now) for row in done])
    Refund.objects.bulk_update(held, _REFUND_OUTCOME_FIELDS)
    note_attempts(held, answers)
    tell(facts, at=now)


def _lock_refunded(refunds: list[Refund]) -> None:
    lock_payments({refund.payment_id for refund in refunds})


PAYMENTS = Trade(
    Payment,
    find=_ask_about_payments,
    write=_write_payments,
    # An authorisation that is due stays one until the gateway has answered.
    becomes={Payment.Status.PENDING: Payment.Status.PROCESSING},
)
REFUNDS = Trade(
    Refund,
    find=_ask_about_refunds,
    write=_write_refunds,
    lock_first=_lock_refunded,
    becomes={Refund.Status.PENDING: Refund.Status.PROCESSING},
)
