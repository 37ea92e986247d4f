"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterable

from django.db import connection

from settlements.models import (
    Adjustment,
    DebtorAccount,
    MerchantBankAccount,
    Payout,
    PayoutFile,
    SettlementBatch,
)

SETTLEMENT_RUN_LOCK = 7_001  # never reuse or renumber


def lock_settlement_run() -> None:
    """One settlement run at a time, until this transaction ends. Taken before any row lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;"
            " SET LOCAL work_mem = '64MB'"
        )
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETTLEMENT_RUN_LOCK])


def lock_payouts(pks: Iterable[int]) -> list[Payout]:
    """Locked in id order so that two batches never deadlock, and their settlement batches after."""
    payouts = list(
        Payout.objects.select_for_update(of=("self",))
        .select_related("merchant", "bank_account")
        .filter(pk__in=list(pks))
        .order_by("pk")
    )
    batches = {
        batch.pk: batch
        for batch in SettlementBatch.objects.select_for_update(no_key=True)
        .filter(pk__in={payout.batch_id for payout in payouts})
        .order_by("pk")
    }
    for payout in payouts:
        payout.batch = batches[payout.batch_id]
    return payouts


def lock_payout_file(pk: int) -> PayoutFile:
    """Locked before the payouts that are in it."""
    return PayoutFile.objects.select_for_update(of=("self",)).select_related("debtor").get(pk=pk)


def lock_bank_accounts(merchant_id: int, currency: str) -> list[MerchantBankAccount]:
    """All that a merchant ever had for a currency, in id order."""
    return list(
        MerchantBankAccount.objects.select_for_update(of=("self",))
        .select_related("merchant")
        .filter(merchant_id=merchant_id, currency=currency)
        .order_by("pk")
    )


def lock_adjustment(pk: int) -> Adjustment:
    return Adjustment.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=pk)


def lock_debtor_accounts() -> list[DebtorAccount]:
    """All of them: which one payouts leave from is decided once at a time."""
    return list(DebtorAccount.objects.select_for_update(of=("self",)).order_by("pk"))
