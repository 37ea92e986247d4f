"""Back-office screens of the ledger, and the read-only base all floors use."""

from ledger.admin.accounts import AccountAdmin, AccountGroupAdmin
from ledger.admin.audit import AuditEventAdmin
from ledger.admin.base import ReadOnlyAdmin
from ledger.admin.changes import ChangeRequestAdmin
from ledger.admin.journal import AuditSealAdmin, HoldAdmin, JournalEntryAdmin, SealAdmin
from ledger.admin.periods import AccountingPeriodAdmin
from ledger.admin.saved_views import SavedViewAdmin

__all__ = [
    "AccountAdmin",
    "AccountGroupAdmin",
    "AccountingPeriodAdmin",
    "AuditEventAdmin",
    "AuditSealAdmin",
    "ChangeRequestAdmin",
    "HoldAdmin",
    "JournalEntryAdmin",
    "ReadOnlyAdmin",
    "SavedViewAdmin",
    "SealAdmin",
]
