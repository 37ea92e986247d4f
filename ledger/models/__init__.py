"""The nouns of the ledger."""

from ledger.models.accounts import Account, AccountBalance, AccountGroup, DayTotal, MonthTotal
from ledger.models.audit import AuditEvent
from ledger.models.changes import ChangeRequest
from ledger.models.holds import Hold, HoldCapture
from ledger.models.journal import JournalEntry, Posting
from ledger.models.periods import AccountingPeriod
from ledger.models.saved_views import SavedView
from ledger.models.seals import AuditSeal, ChainedSeal, Seal

__all__ = [
    "Account",
    "AccountBalance",
    "AccountGroup",
    "AccountingPeriod",
    "AuditEvent",
    "AuditSeal",
    "ChainedSeal",
    "ChangeRequest",
    "DayTotal",
    "Hold",
    "HoldCapture",
    "JournalEntry",
    "MonthTotal",
    "Posting",
    "SavedView",
    "Seal",
]
