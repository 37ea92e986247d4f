"""The accounting policy of settlement, as pure functions. See `docs/bookkeeping.md`."""

from datetime import datetime

from ledger.entries import AccountRef, AccountType, Entry, moves
from payments.bookkeeping import payable
from settlements.models import Payout, SettlementBatch


def payouts_due(currency: str) -> AccountRef:
    """What closed batches owe merchants and no bank was told yet."""
    return AccountRef(f"payouts:due:{currency}", AccountType.LIABILITY, currency)


def payouts_in_transit(currency: str) -> AccountRef:
    """What a bank was told to pay and its statement does not show yet."""
    return AccountRef(f"payouts:in_transit:{currency}", AccountType.LIABILITY, currency)


def bank(account: str, currency: str) -> AccountRef:
    """Our money at a bank, by the account's identifier there."""
    return AccountRef(f"bank:{account}:{currency}", AccountType.ASSET, currency)


def entry_for_batch(batch: SettlementBatch, effective_at: datetime) -> Entry:
    """What is payable to the merchant becomes due for payout."""
    return Entry(
        idempotency_key=f"settlement:{batch.public_id}",
        kind="settlement",
        reference=batch.public_id,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(
            payable(batch.merchant, batch.currency), payouts_due(batch.currency), batch.payout_money
        ),
    )


def entry_for_payout_sent(payout: Payout, effective_at: datetime) -> Entry:
    return Entry(
        idempotency_key=f"payout_sent:{payout.public_id}",
        kind="payout_sent",
        reference=payout.public_id,
        effective_at=effective_at,
        lines=moves(
            payouts_due(payout.currency), payouts_in_transit(payout.currency), payout.money
        ),
    )
