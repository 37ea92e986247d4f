"""Reads of settlement. What belongs to a merchant is only reachable through the merchant."""

from dataclasses import dataclass

from django.db.models import QuerySet

from ledger import sql
from ledger.money import Money
from payments.models import Merchant
from settlements.errors import PayoutNotFound, SettlementNotFound
from settlements.models import Payout, Settlement, SettlementBatch


@dataclass(frozen=True, slots=True)
class MerchantBalance:
    """Where a merchant's money in one currency is.

    `available` is earned and in no payout yet, negative if refunds exceed it; `pending` is asked of
    payers, gross, with the outcome unknown; `reserve` is kept back for a while; `in_transit` is on
    its way to the merchant's bank.
    """

    available: Money
    pending: Money
    reserve: Money
    in_transit: Money


def balances_of(merchant: Merchant) -> list[MerchantBalance]:
    """One balance per currency the merchant ever had money in, all taken at the same instant."""
    found = sql.rows(
        "settlements",
        "sum_merchant_balances",
        owner=merchant.public_id,
        payable=f"merchant:{merchant.code}:payable:",
        reserve=f"merchant:{merchant.code}:reserve:",
        merchant_id=merchant.pk,
    )
    return [
        MerchantBalance(
            available=Money(row.available, row.currency),
            pending=Money(row.pending, row.currency),
            reserve=Money(row.reserve, row.currency),
            in_transit=Money(row.in_transit, row.currency),
        )
        for row in found
    ]


def batches_of(merchant: Merchant) -> QuerySet[SettlementBatch]:
    rows = SettlementBatch.objects.filter(merchant=merchant).prefetch_related("payouts")
    return rows.order_by("-id")


def batch_of(merchant: Merchant, public_id: str) -> SettlementBatch:
    """Raises SettlementNotFound, also for a batch of somebody else."""
    try:
        return batches_of(merchant).get(public_id=public_id)
    except SettlementBatch.DoesNotExist:
        raise SettlementNotFound() from None


def lines_of(batch: SettlementBatch) -> QuerySet[Settlement]:
    rows = Settlement.objects.filter(batch=batch)
    return rows.select_related("batch", "payment", "refund", "dispute").order_by("-id")


def payouts_of(merchant: Merchant) -> QuerySet[Payout]:
    return Payout.objects.filter(merchant=merchant).select_related("batch").order_by("-id")


def payout_of(merchant: Merchant, public_id: str) -> Payout:
    """Raises PayoutNotFound, also for a payout of somebody else."""
    try:
        return payouts_of(merchant).get(public_id=public_id)
    except Payout.DoesNotExist:
        raise PayoutNotFound() from None
