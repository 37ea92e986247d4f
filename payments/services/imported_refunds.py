"""Refunds of another system, counted against their payments, written down and posted."""

from collections import Counter

from ledger import sql
from ledger.ids import new_ids
from payments.bookkeeping import entry_for_refund
from payments.history import HistoryRow, RowRefused
from payments.models import Gateway, Payment, Refund
from payments.services.fees import give_fees_back
from payments.services.imported_rows import Chunk, post_rows


def load_refunds(chunk: Chunk) -> list[HistoryRow]:
    """Load those rows that are new and return them; raises RowRefused for the first bad one.

    Their payments must be there already.
    """
    found = sql.rows("payments", "find_imported_refunds", **chunk.keys())
    new = chunk.new_rows({row.position: row.request_digest for row in found})
    refunds = _refunds(chunk, new)
    give_fees_back(refunds)
    refunded: Counter[int] = Counter()
    for refund in refunds:
        refunded[refund.payment_id] += refund.amount
    with chunk.refusing_duplicates(Refund, new), sql.pipeline() as send:
        send(
            "payments",
            "import_refunds",
            public_ids=[refund.public_id for refund in refunds],
            payment_ids=[refund.payment_id for refund in refunds],
            fees_returned=[refund.fee_returned for refund in refunds],
            **chunk.columns(new),
        )
        send(
            "payments",
            "add_refunded_amounts",
            payment_ids=list(refunded),
            amounts=list(refunded.values()),
        )
    post_rows(
        [
            (row, entry_for_refund(refund, row.effective_at))
            for row, refund in zip(new, refunds, strict=True)
        ]
    )
    return new


def _refunds(chunk: Chunk, rows: list[HistoryRow]) -> list[Refund]:
    """Of their payments, locked; raises RowRefused where there is none or too little left."""
    payments = _locked_payments(chunk, rows)
    refunds = []
    for row, public_id in zip(rows, new_ids("re", len(rows)), strict=True):
        merchant = chunk.merchants[row.merchant]
        payment = payments.get((merchant.pk, row.parent_reference))
        if payment is None:
            problem = f"there is no payment {row.parent_reference!r} to refund"
            raise RowRefused(row.line_no, problem)
        left = payment.refundable
        if left.currency != row.money.currency or row.money > left:
            raise RowRefused(row.line_no, f"{left} is left to refund, not {row.money}")
        payment.amount_refunded += row.money.amount
        refunds.append(
            Refund(
                public_id=public_id,
                merchant=merchant,
                payment=payment,
                amount=row.money.amount,
                currency=row.money.currency,
            )
        )
    return refunds


def _locked_payments(chunk: Chunk, rows: list[HistoryRow]) -> dict[tuple[int, str], Payment]:
    """What refunds of them go by, by merchant and reference."""
    locked = sql.rows(
        "payments",
        "lock_payments_to_refund",
        merchant_ids=chunk.merchant_ids(rows),
        references=[row.parent_reference for row in rows],
    )
    gateways = {code: Gateway(code=code) for code in {payment.gateway for payment in locked}}
    return {
        (payment.merchant_id, payment.reference): Payment(
            pk=payment.id,
            gateway=gateways[payment.gateway],
            currency=payment.currency,
            amount_captured=payment.amount_captured,
            amount_refunded=payment.amount_refunded,
            fee=payment.fee,
            fee_plan_id=payment.fee_plan_id,
        )
        for payment in locked
    }
