"""The nouns of the ledger."""

from ledger.models.accounts import Account, AccountBalance, AccountGroup, DayTotal
from ledger.models.audit import AuditEvent
from ledger.models.holds import Hold, HoldCapture
from ledger.models.journal import JournalEntry, Posting, Seal
from ledger.models.periods import AccountingPeriod

__all__ = [
    "Account",
    "AccountBalance",
    "AccountGroup",
    "AccountingPeriod",
    "AuditEvent",
    "DayTotal",
    "Hold",
    "HoldCapture",
    "JournalEntry",
    "Posting",
    "Seal",
]
