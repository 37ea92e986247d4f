"""The accounting policy of payments, as pure functions: one per business event.

`docs/bookkeeping.md` shows the same entries as T-accounts.
"""

from datetime import datetime
from functools import cache

from ledger.entries import REFERENCE_LENGTH_MAX, AccountRef, AccountType, Entry, Line, lines, moves
from ledger.money import Money
from payments.models import Dispute, Merchant, Payment, Refund, Transfer


@cache
def clearing(gateway: str, currency: str) -> AccountRef:
    """What a processor owes us by our books."""
    return AccountRef(f"clearing:{gateway}:{currency}", AccountType.ASSET, currency)


def payable(merchant: Merchant, currency: str) -> AccountRef:
    """What we owe a merchant. It may go negative and is carried."""
    code = f"merchant:{merchant.code}:payable:{currency}"
    return AccountRef(code, AccountType.LIABILITY, currency, owner=merchant.public_id)


@cache
def fee_income(currency: str) -> AccountRef:
    return AccountRef(f"income:fees:{currency}", AccountType.INCOME, currency)


def wallet(merchant: Merchant, code: str, currency: str) -> AccountRef:
    """A merchant's own account, under the code it chose; never below zero."""
    return AccountRef(code, AccountType.LIABILITY, currency, owner=merchant.public_id, floor=0)


def opening_equity(currency: str) -> AccountRef:
    return AccountRef(f"equity:opening:{currency}", AccountType.EQUITY, currency)


def entry_for_payment(payment: Payment, effective_at: datetime) -> Entry:
    """The processor owes us what was captured; we owe the merchant all of it less our fee."""
    due = payable(payment.merchant, payment.currency)
    return Entry(
        idempotency_key=f"payment:{payment.public_id}",
        kind="payment",
        reference=payment.public_id,
        effective_at=effective_at,
        lines=lines(
            moves(clearing(payment.gateway.code, payment.currency), due, payment.captured_money),
            moves(due, fee_income(payment.currency), payment.fee_money),
        ),
    )


def entry_for_refund(refund: Refund, effective_at: datetime) -> Entry:
    """The merchant gives it back, through what the processor owes us, and gets what of our fee its
    plan gives back.
    """
    due = payable(refund.merchant, refund.currency)
    return Entry(
        idempotency_key=f"refund:{refund.public_id}",
        kind="refund",
        reference=refund.public_id,
        effective_at=effective_at,
        lines=lines(
            moves(due, clearing(refund.payment.gateway.code, refund.currency), refund.money),
            moves(fee_income(refund.currency), due, Money(refund.fee_returned, refund.currency)),
        ),
    )


def entry_for_dispute_opened(dispute: Dispute) -> Entry:
    """The processor pulled the money back; the merchant owes it, and our fee for the work."""
    due = payable(dispute.merchant, dispute.currency)
    return Entry(
        idempotency_key=f"dispute:{dispute.public_id}",
        kind="dispute",
        reference=dispute.public_id,
        effective_at=dispute.effective_at,
        moves_if_late=True,
        lines=lines(
            moves(due, clearing(dispute.payment.gateway.code, dispute.currency), dispute.money),
            moves(due, fee_income(dispute.currency), Money(dispute.fee, dispute.currency)),
        ),
    )


def entry_for_dispute_won(dispute: Dispute, effective_at: datetime) -> Entry:
    """The processor gave the money back, and we owe it to the merchant again. Our fee is kept."""
    return Entry(
        idempotency_key=f"dispute_won:{dispute.public_id}",
        kind="dispute_won",
        reference=dispute.public_id,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(
            clearing(dispute.payment.gateway.code, dispute.currency),
            payable(dispute.merchant, dispute.currency),
            dispute.money,
        ),
    )


def entry_for_wallet_funding(
    account: AccountRef, money: Money, *, key: str, effective_at: datetime
) -> Entry:
    """An opening balance of a wallet, by configuration."""
    return Entry(
        idempotency_key=key,
        kind="wallet_funding",
        reference=account.code[:REFERENCE_LENGTH_MAX],
        effective_at=effective_at,
        lines=moves(opening_equity(account.currency), account, money),
    )


def entry_for_transfer(transfer: Transfer, effective_at: datetime) -> Entry:
    """A merchant moves money between two of its own accounts; we owe it as much as before."""
    return Entry(
        idempotency_key=f"transfer:{transfer.public_id}",
        kind="transfer",
        reference=transfer.public_id,
        effective_at=effective_at,
        lines=_between(transfer),
    )


def entry_for_transfer_refund(refund: Transfer, effective_at: datetime) -> Entry:
    """All or part of a transfer goes back where it came from, as a transfer of its own."""
    return Entry(
        idempotency_key=f"transfer:{refund.public_id}",
        kind="transfer_refund",
        reference=refund.public_id,
        effective_at=effective_at,
        lines=_between(refund),
    )


def _between(transfer: Transfer) -> tuple[Line, ...]:
    return moves(transfer.source_account.ref, transfer.destination_account.ref, transfer.money)
