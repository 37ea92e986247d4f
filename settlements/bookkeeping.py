"""The accounting policy of settlement, as pure functions. See `docs/bookkeeping.md`."""

from datetime import datetime

from ledger.entries import AccountRef, AccountType, Entry, lines, moves
from ledger.money import Money
from payments.bookkeeping import fee_income, payable
from payments.models import Merchant
from settlements.models import Adjustment, Payout, ReserveHold, SettlementBatch


def payouts_due(currency: str) -> AccountRef:
    """What closed batches owe merchants and no bank was told yet."""
    return AccountRef(f"payouts:due:{currency}", AccountType.LIABILITY, currency)


def payouts_in_transit(currency: str) -> AccountRef:
    """What a bank was told to pay and its statement does not show yet."""
    return AccountRef(f"payouts:in_transit:{currency}", AccountType.LIABILITY, currency)


def reserve(merchant: Merchant, currency: str) -> AccountRef:
    """What we owe a merchant and keep back for a while."""
    code = f"merchant:{merchant.code}:reserve:{currency}"
    return AccountRef(code, AccountType.LIABILITY, currency, owner=merchant.public_id)


def differences_income(currency: str) -> AccountRef:
    return AccountRef(f"income:differences:{currency}", AccountType.INCOME, currency)


def differences_expense(currency: str) -> AccountRef:
    return AccountRef(f"expense:differences:{currency}", AccountType.EXPENSE, currency)


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


def entry_for_reserve_held(
    hold: ReserveHold, batch: SettlementBatch, effective_at: datetime
) -> Entry:
    """A part of what is payable to the merchant is kept back with the batch it was earned in."""
    return Entry(
        idempotency_key=f"reserve_held:{hold.pk}",
        kind="reserve_held",
        reference=batch.public_id,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(
            payable(batch.merchant, hold.currency),
            reserve(batch.merchant, hold.currency),
            hold.money,
        ),
    )


def entry_for_reserve_released(
    hold: ReserveHold, batch: SettlementBatch, effective_at: datetime
) -> Entry:
    """What was kept back is payable again and joins a later batch."""
    return Entry(
        idempotency_key=f"reserve_released:{hold.pk}",
        kind="reserve_released",
        reference=batch.public_id,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(
            reserve(batch.merchant, hold.currency),
            payable(batch.merchant, hold.currency),
            hold.money,
        ),
    )


def entry_for_fees_converted(
    batch: SettlementBatch, booked: Money, charged: Money, effective_at: datetime
) -> Entry:
    """Our fees of what was converted, booked in the payers' currency, are charged in the batch's.

    Negative ones are given back more than charged.
    """
    merchant = batch.merchant
    return Entry(
        idempotency_key=f"fees_converted:{batch.public_id}:{booked.currency}",
        kind="fees_converted",
        reference=batch.public_id,
        effective_at=effective_at,
        moves_if_late=True,
        lines=lines(
            moves(fee_income(booked.currency), payable(merchant, booked.currency), booked),
            moves(payable(merchant, charged.currency), fee_income(charged.currency), charged),
        ),
    )


def entry_for_adjustment(adjustment: Adjustment, effective_at: datetime) -> Entry:
    """The merchant is owed more at our expense, or less to our gain."""
    due, currency = payable(adjustment.merchant, adjustment.currency), adjustment.currency
    if adjustment.amount > 0:
        moved = moves(differences_expense(currency), due, adjustment.money)
    else:
        moved = moves(due, differences_income(currency), -adjustment.money)
    return Entry(
        idempotency_key=f"adjustment:{adjustment.public_id}",
        kind="adjustment",
        reference=adjustment.public_id,
        effective_at=effective_at,
        lines=moved,
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


def entry_for_payout_rejected(payout: Payout, effective_at: datetime) -> Entry:
    """The bank refused it, so nothing left: the money is due again."""
    return Entry(
        idempotency_key=f"payout_rejected:{payout.public_id}",
        kind="payout_rejected",
        reference=payout.public_id,
        effective_at=effective_at,
        lines=moves(
            payouts_in_transit(payout.currency), payouts_due(payout.currency), payout.money
        ),
    )


def entry_for_payout_canceled(payout: Payout, effective_at: datetime) -> Entry:
    """It never left: the money is payable to the merchant and joins the next batch."""
    return Entry(
        idempotency_key=f"payout_canceled:{payout.public_id}",
        kind="payout_canceled",
        reference=payout.public_id,
        effective_at=effective_at,
        lines=moves(
            payouts_due(payout.currency), payable(payout.merchant, payout.currency), payout.money
        ),
    )


def entry_for_payout_returned(
    payout: Payout, bank_account: AccountRef, *, reference: str, effective_at: datetime
) -> Entry:
    """It was paid and came back: our money is at the bank and due again.

    `reference` is the bank's line, as of everything that moves a bank account.
    """
    return Entry(
        idempotency_key=f"payout_returned:{payout.public_id}",
        kind="payout_returned",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(bank_account, payouts_due(payout.currency), payout.money),
    )
