"""How payments, refunds, disputes and transfers are shown, by the API and in events alike.

And how events themselves are, and the endpoints they are sent to.
"""

import json
from typing import Any

from ledger.money import Money
from payments.models import (
    Dispute,
    Event,
    Payment,
    Refund,
    Transfer,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from payments.new_payments import NewPayment


def represent_payment(payment: Payment | NewPayment) -> dict[str, Any]:
    return {
        "id": payment.public_id,
        "status": payment.status,
        "amount": payment.money.text,
        "currency": payment.currency,
        "capture": payment.capture,
        "amount_captured": payment.captured_money.text,
        "amount_refunded": Money(payment.amount_refunded, payment.currency).text,
        "fee": payment.fee_money.text,
        "source": payment.source,
        "description": payment.description,
        "reference": payment.reference,
        "failure_code": payment.failure_code or None,
        "failure_reason": payment.failure_reason or None,
        "merchant_id": payment.merchant.public_id,
        "created_by": payment.created_by,
        "metadata": payment.metadata,
        "authorized_until": payment.authorized_until,
        "created_at": payment.created_at,
        "updated_at": payment.updated_at,
    }


def represent_refund(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.public_id,
        "payment_id": refund.payment.public_id,
        "status": refund.status,
        "amount": refund.money.text,
        "currency": refund.currency,
        "fee_returned": Money(refund.fee_returned, refund.currency).text,
        "reference": refund.reference,
        "reason": refund.reason,
        "failure_code": refund.failure_code or None,
        "failure_reason": refund.failure_reason or None,
        "created_by": refund.created_by,
        "created_at": refund.created_at,
        "updated_at": refund.updated_at,
    }


def represent_dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.public_id,
        "payment_id": dispute.payment.public_id,
        "status": dispute.status,
        "amount": dispute.money.text,
        "currency": dispute.currency,
        "fee": Money(dispute.fee, dispute.currency).text,
        "reference": dispute.reference,
        "effective_at": dispute.effective_at,
        "created_at": dispute.created_at,
    }


def represent_transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "id": transfer.public_id,
        "status": transfer.status,
        "source_account_id": transfer.source_account.public_id,
        "destination_account_id": transfer.destination_account.public_id,
        "amount": transfer.money.text,
        "currency": transfer.currency,
        "amount_refunded": Money(transfer.amount_refunded, transfer.currency).text,
        "refund_of": transfer.refund_of.public_id if transfer.refund_of else None,
        "reason": transfer.reason or None,
        "metadata": transfer.metadata,
        "journal_entry_id": transfer.journal_entry or None,
        "failure_code": transfer.failure_code or None,
        "failure_reason": transfer.failure_reason or None,
        "created_by": transfer.created_by,
        "created_at": transfer.created_at,
        "updated_at": transfer.updated_at,
    }


def represent_event(event: Event) -> dict[str, Any]:
    """What `GET /events/{id}` answers and endpoints are sent."""
    return {
        "id": event.public_id,
        "type": event.type,
        "timestamp": event.created_at,
        "merchant_id": event.merchant.public_id if event.merchant else None,
        "subject_id": event.subject,
        "sequence": event.sequence,
        "data": json.loads(event.data),
    }


def represent_endpoint(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.public_id,
        "merchant_id": endpoint.merchant.public_id if endpoint.merchant else None,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason or None,
        "failing_since": endpoint.failing_since,
        "previous_secret_until": endpoint.previous_secret_until,
        "created_by": endpoint.created_by,
        "created_at": endpoint.created_at,
    }


def represent_delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": delivery.public_id,
        "event_id": delivery.event.public_id,
        "event_type": delivery.event.type,
        "status": delivery.status,
        "tries": delivery.tries,
        "next_try_at": delivery.due_at,
        "delivered_at": delivery.delivered_at,
        "created_at": delivery.created_at,
    }


def represent_attempt(attempt: WebhookAttempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "asked_at": attempt.asked_at,
        "milliseconds": attempt.milliseconds,
        "status_code": attempt.status_code,
        "error": attempt.error or None,
        "answer": attempt.answer,
    }
