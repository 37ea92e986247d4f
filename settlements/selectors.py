"""Reads of settlement. What belongs to a merchant is only reachable through the merchant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from ledger import sql
from ledger.money import Money
from payments.models import Merchant
from settlements.errors import PayoutFileNotFound, PayoutNotFound, SettlementNotFound
from settlements.models import (
    MerchantBankAccount,
    Payout,
    PayoutFile,
    Settlement,
    SettlementBatch,
    SettlementSchedule,
)


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


def schedules_of(merchants: Iterable[Merchant]) -> dict[int, list[SettlementSchedule]]:
    """The schedules of each merchant, by its id, newest first.

    The last one is in force when no other is: each day at midnight, without delay.
    """
    found: dict[int, list[SettlementSchedule]] = {}
    for merchant in merchants:
        found[merchant.pk] = [
            SettlementSchedule(merchant=merchant, valid_from=date.min, zone=merchant.time_zone)
        ]
    for schedule in SettlementSchedule.objects.order_by("valid_from"):
        if schedule.merchant_id in found:
            found[schedule.merchant_id].insert(0, schedule)
    return found


def batches_of(merchant: Merchant) -> QuerySet[SettlementBatch]:
    rows = SettlementBatch.objects.filter(merchant=merchant).prefetch_related("payouts")
    return rows.order_by("-id")


def batch_of(merchant: Merchant, public_id: str) -> SettlementBatch:
    """Raises SettlementNotFound, also for a batch of somebody else."""
    try:
        return batches_of(merchant).get(public_id=public_id)
    except SettlementBatch.DoesNotExist:
        raise SettlementNotFound() from None


def batch_by_id(public_id: str) -> SettlementBatch:
    """A batch of any merchant. Raises SettlementNotFound."""
    try:
        return SettlementBatch.objects.select_related("merchant").get(public_id=public_id)
    except SettlementBatch.DoesNotExist:
        raise SettlementNotFound() from None


def lines_of(batch: SettlementBatch) -> QuerySet[Settlement]:
    rows = Settlement.objects.filter(batch=batch).select_related(
        "batch",
        "payment",
        "refund__payment",
        "dispute__payment",
        "won_dispute__payment",
        "reserve_held",
        "reserve_released",
        "adjustment",
        "canceled_payout",
    )
    return rows.order_by("-id")


def payouts_of(merchant: Merchant) -> QuerySet[Payout]:
    rows = Payout.objects.filter(merchant=merchant).select_related("batch", "bank_account")
    return rows.order_by("-id")


def payout_of(merchant: Merchant, public_id: str) -> Payout:
    """Raises PayoutNotFound, also for a payout of somebody else."""
    try:
        return payouts_of(merchant).get(public_id=public_id)
    except Payout.DoesNotExist:
        raise PayoutNotFound() from None


def changing_accounts(payouts: Iterable[Payout]) -> set[tuple[int, str]]:
    """Merchants' ids and currencies of which another bank account waits to be verified."""
    return set(_accounts_of(payouts, MerchantBankAccount.Status.UNVERIFIED))


def verified_accounts(
    payouts: Iterable[Payout],
) -> dict[tuple[int, str], MerchantBankAccount]:
    """Where the payouts go, by merchant's id and currency."""
    return _accounts_of(payouts, MerchantBankAccount.Status.VERIFIED)


def _accounts_of(
    payouts: Iterable[Payout], status: str
) -> dict[tuple[int, str], MerchantBankAccount]:
    found = MerchantBankAccount.objects.filter(
        merchant__in={payout.merchant_id for payout in payouts}, status=status
    )
    return {(account.merchant_id, account.currency): account for account in found}


def payouts_to_send(currency: str) -> list[Payout]:
    """Approved payouts that are in no live file and can go to a verified account, oldest first."""
    approved = Payout.objects.filter(currency=currency, status=Payout.Status.APPROVED)
    free = list(approved.exclude(attempts__is_live=True).order_by("pk"))
    changing, verified = changing_accounts(free), verified_accounts(free)
    return [
        payout for payout in free if (payout.merchant_id, currency) in verified.keys() - changing
    ]


def payout_file_by_id(public_id: str) -> PayoutFile:
    """Raises PayoutFileNotFound."""
    try:
        return PayoutFile.objects.select_related("debtor").get(public_id=public_id)
    except PayoutFile.DoesNotExist:
        raise PayoutFileNotFound(public_id) from None
