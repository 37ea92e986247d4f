"""The accounting policy of reconciliation, as pure functions. See `docs/bookkeeping.md`.

Everything an external line moves on an account it proves is posted under the reference of what the
line was matched to, so that the tie-out can hold both sides of one matter against each other. Only
the fees of matched lines are posted in groups (FeeGroup): the tie-out counts each to its matter.

Statements come when they come: what they prove about a period that is closed by then takes effect
at the start of the next one.
"""

from datetime import datetime
from functools import cache

from ledger.entries import AccountRef, AccountType, Direction, Entry, Line, lines, moves
from ledger.money import Money
from payments.bookkeeping import clearing, opening_equity, payable
from payments.models import Merchant
from reconciliation.models import WriteOff
from settlements.bookkeeping import (
    differences_expense,
    differences_income,
    payouts_in_transit,
)


def deposits_in_transit(gateway: str, currency: str) -> AccountRef:
    """What a processor says it sent and the bank does not show yet."""
    return AccountRef(f"deposits:in_transit:{gateway}:{currency}", AccountType.ASSET, currency)


@cache
def processing_expense(currency: str) -> AccountRef:
    return AccountRef(f"expense:processing:{currency}", AccountType.EXPENSE, currency)


def fx_position(currency: str) -> AccountRef:
    return AccountRef(f"fx:position:{currency}", AccountType.ASSET, currency)


def fx_income(currency: str) -> AccountRef:
    return AccountRef(f"income:fx:{currency}", AccountType.INCOME, currency)


def fx_expense(currency: str) -> AccountRef:
    return AccountRef(f"expense:fx:{currency}", AccountType.EXPENSE, currency)


def written_off_expense(currency: str) -> AccountRef:
    return AccountRef(f"expense:write_off:{currency}", AccountType.EXPENSE, currency)


def suspense(currency: str) -> AccountRef:
    """Money on our bank accounts that nobody has explained yet."""
    return AccountRef(f"suspense:{currency}", AccountType.LIABILITY, currency)


def account_of_difference(kind: str, effect: Money) -> AccountRef:
    """Where a difference ends; `effect` is book minus statement: what we lose if it is positive."""
    if effect.amount < 0:
        return differences_income(effect.currency)
    if kind == WriteOff.Kind.WRITE_OFF:
        return written_off_expense(effect.currency)
    return differences_expense(effect.currency)


def entry_for_processor_fee(
    gateway: str, fee: Money, *, key: str, reference: str, effective_at: datetime
) -> Entry:
    """The processor kept its fee from what it owes us; a negative one is given back."""
    return Entry(
        idempotency_key=f"processor_fee:{key}",
        kind="processor_fee",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(processing_expense(fee.currency), clearing(gateway, fee.currency), fee),
    )


def entry_for_processor_fees(
    gateway: str,
    charged: Money,
    given_back: Money,
    *,
    key: str,
    reference: str,
    effective_at: datetime,
) -> Entry:
    """The processor kept its fees of many lines of one day, and gave some back: both as they are.

    One line each, and none for what is zero; so fees that cancel out are an entry too.
    """
    expense, owed = processing_expense(charged.currency), clearing(gateway, charged.currency)
    return Entry(
        idempotency_key=f"processor_fees:{key}",
        kind="processor_fees",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=lines(moves(expense, owed, charged), moves(owed, expense, given_back)),
    )


def entry_for_processor_fee_undone(
    gateway: str, fee: Money, *, key: str, reference: str, effective_at: datetime
) -> Entry:
    """A person undid a match: its line's fee is taken out of what was posted for many."""
    return Entry(
        idempotency_key=f"processor_fee_undone:{key}",
        kind="processor_fee_undone",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(clearing(gateway, fee.currency), processing_expense(fee.currency), fee),
    )


def entry_for_conversion(
    gateway: str, sold: Money, bought: Money, *, key: str, reference: str, effective_at: datetime
) -> Entry:
    """The processor turned what it owed us in one currency into another."""
    return Entry(
        idempotency_key=f"conversion:{key}",
        kind="conversion",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=lines(
            moves(fx_position(sold.currency), clearing(gateway, sold.currency), sold),
            moves(clearing(gateway, bought.currency), fx_position(bought.currency), bought),
        ),
    )


def entry_for_merchant_conversion(
    merchant: Merchant,
    sold: Money,
    agreed: Money,
    bought: Money,
    *,
    key: str,
    reference: str,
    effective_at: datetime,
) -> Entry:
    """The merchant is owed `agreed` instead of `sold`; what is left of `bought` is ours."""
    gained = bought - agreed
    return Entry(
        idempotency_key=f"merchant_conversion:{key}",
        kind="merchant_conversion",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=lines(
            moves(payable(merchant, sold.currency), fx_position(sold.currency), sold),
            moves(fx_position(agreed.currency), payable(merchant, agreed.currency), agreed),
            _fx_result(gained),
        ),
    )


def _fx_result(gained: Money) -> tuple[Line, ...]:
    position = fx_position(gained.currency)
    if gained.amount >= 0:
        return moves(position, fx_income(gained.currency), gained)
    return moves(fx_expense(gained.currency), position, -gained)


def entry_for_processor_payout(
    gateway: str, money: Money, *, key: str, reference: str, effective_at: datetime
) -> Entry:
    """The processor says it paid out: it owes us less, and money is on its way to the bank."""
    return Entry(
        idempotency_key=f"processor_payout:{key}",
        kind="processor_payout",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(
            deposits_in_transit(gateway, money.currency), clearing(gateway, money.currency), money
        ),
    )


def entry_for_deposit(
    bank_account: AccountRef,
    gateway: str,
    money: Money,
    *,
    key: str,
    reference: str,
    effective_at: datetime,
) -> Entry:
    """The bank shows what the processor sent."""
    return Entry(
        idempotency_key=f"deposit:{key}",
        kind="deposit",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(bank_account, deposits_in_transit(gateway, money.currency), money),
    )


def entry_for_payout_paid(
    bank_account: AccountRef, money: Money, *, key: str, reference: str, effective_at: datetime
) -> Entry:
    """The bank shows that our payout left."""
    return Entry(
        idempotency_key=f"payout_paid:{key}",
        kind="payout_paid",
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(payouts_in_transit(money.currency), bank_account, money),
    )


def entry_for_bank_opening(
    bank_account: AccountRef, money: Money, *, key: str, effective_at: datetime
) -> Entry:
    """What was in the bank account before the first statement we have of it."""
    return Entry(
        idempotency_key=f"bank_opening:{key}",
        kind="bank_opening",
        reference="opening",
        effective_at=effective_at,
        lines=moves(bank_account, opening_equity(money.currency), money),
    )


def entry_for_write_off(
    write_off: WriteOff,
    account: AccountRef,
    counter_account: AccountRef,
    *,
    reference: str,
    effective_at: datetime,
) -> Entry:
    """An approved entry ends a difference, or books a bank line, under the matter that is off."""
    is_debit = write_off.direction == Direction.DEBIT
    into, out_of = (account, counter_account) if is_debit else (counter_account, account)
    return Entry(
        idempotency_key=f"write_off:{write_off.public_id}",
        kind=write_off.kind,
        reference=reference,
        effective_at=effective_at,
        moves_if_late=True,
        lines=moves(into, out_of, write_off.money),
    )
