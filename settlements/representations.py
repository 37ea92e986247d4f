"""How settlements and payouts are shown, by the API and in events alike."""

from typing import Any

from ledger.money import Money
from settlements.models import Payout, Settlement, SettlementBatch


def represent_batch(batch: SettlementBatch) -> dict[str, Any]:
    payout = batch.latest_payout
    return {
        "id": batch.public_id,
        "status": batch.status,
        "currency": batch.currency,
        "period": batch.period,
        "line_count": batch.line_count,
        "gross": Money(batch.gross, batch.currency).text,
        "fee": Money(batch.fee, batch.currency).text,
        "net": Money(batch.net, batch.currency).text,
        "carried_in": Money(batch.carried_in, batch.currency).text,
        "payout_amount": batch.payout_money.text,
        "payout_id": payout and payout.public_id,
        "created_at": batch.created_at,
    }


def represent_line(line: Settlement) -> dict[str, Any]:
    currency = line.batch.currency
    dispute = line.dispute or line.won_dispute
    return {
        "kind": line.kind,
        "payment_id": line.payment and line.payment.public_id,
        "refund_id": line.refund and line.refund.public_id,
        "dispute_id": dispute and dispute.public_id,
        "adjustment_id": line.adjustment and line.adjustment.public_id,
        "canceled_payout_id": line.canceled_payout and line.canceled_payout.public_id,
        "gross": Money(line.gross, currency).text,
        "fee": Money(line.fee, currency).text,
        "net": Money(line.net, currency).text,
    }


def represent_payout(payout: Payout) -> dict[str, Any]:
    return {
        "id": payout.public_id,
        "settlement_id": payout.batch.public_id,
        "status": payout.status,
        "amount": payout.money.text,
        "currency": payout.currency,
        "bank_account": payout.bank_account and payout.bank_account.masked_iban,
        "created_at": payout.created_at,
        "sent_at": payout.sent_at,
        "paid_on": payout.paid_on,
        "returned_on": payout.returned_on,
        "failure_code": payout.failure_code,
        "failure_reason": payout.failure_reason,
    }
