"""Reads of the ledger."""

from ledger.selectors.balances import available_of, balance_of, balances_of, is_final
from ledger.selectors.statements import AccountStatementLine, StatementPage, account_statement
from ledger.selectors.trial_balances import (
    TrialBalanceAccount,
    TrialBalanceRow,
    trial_balance,
    trial_balance_accounts,
)

__all__ = [
    "AccountStatementLine",
    "StatementPage",
    "TrialBalanceAccount",
    "TrialBalanceRow",
    "account_statement",
    "available_of",
    "balance_of",
    "balances_of",
    "is_final",
    "trial_balance",
    "trial_balance_accounts",
]
