"""Debits and credits of all accounts, beside each other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger import sql
from ledger.entries import DEBIT_NORMAL
from ledger.money import Money
from ledger.selectors.moments import just_after


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """Total debits and credits of all accounts of one currency; equal, or the books are broken."""

    currency: str
    accounts: int
    debits: Money
    credits: Money

    @property
    def is_balanced(self) -> bool:
        return self.debits == self.credits


@dataclass(frozen=True, slots=True)
class TrialBalanceAccount:
    """Total debits and credits of one account."""

    owner: str
    code: str
    name: str
    type: str
    debits: Money
    credits: Money

    @property
    def currency(self) -> str:
        return self.debits.currency

    @property
    def balance(self) -> Money:
        """By the account's normal side."""
        is_debit_normal = self.type in DEBIT_NORMAL
        return self.debits - self.credits if is_debit_normal else self.credits - self.debits

    @property
    def debit_balance(self) -> Money:
        """What stands in the debit column of a printed trial balance."""
        return max(self.debits - self.credits, Money(0, self.currency))

    @property
    def credit_balance(self) -> Money:
        return max(self.credits - self.debits, Money(0, self.currency))


def trial_balance(
    *, as_of: datetime | None = None, known_at: datetime | None = None
) -> list[TrialBalanceRow]:
    """Debits and credits per currency; moments mean what they mean to `balance_of`.

    Without moments these are the running totals of the accounts, which `verify_ledger` proves from
    the postings.
    """
    return [
        TrialBalanceRow(
            row.currency,
            row.accounts,
            Money(int(row.debits), row.currency),
            Money(int(row.credits), row.currency),
        )
        for row in _totals(as_of, known_at, is_per_account=False)
    ]


def trial_balance_accounts(
    *, as_of: datetime | None = None, known_at: datetime | None = None
) -> list[TrialBalanceAccount]:
    """The accounts behind `trial_balance` that ever moved, by currency, owner and code."""
    return [
        TrialBalanceAccount(
            row.owner,
            row.code,
            row.name,
            row.type,
            Money(int(row.debits), row.currency),
            Money(int(row.credits), row.currency),
        )
        for row in _totals(as_of, known_at, is_per_account=True)
    ]


def _totals(
    as_of: datetime | None, known_at: datetime | None, *, is_per_account: bool
) -> list[Any]:
    return sql.rows(
        "ledger",
        "sum_trial_balance",
        is_now=as_of is None and known_at is None,
        effective_before=just_after(as_of) or "infinity",
        posted_before=just_after(known_at) or "infinity",
        is_per_account=is_per_account,
    )
