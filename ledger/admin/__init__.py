"""Back-office screens of the ledger, and the read-only base all floors use."""

from ledger.admin.accounts import AccountAdmin, AccountGroupAdmin
from ledger.admin.audit import AuditEventAdmin
from ledger.admin.base import ReadOnlyAdmin
from ledger.admin.journal import HoldAdmin, JournalEntryAdmin, SealAdmin
from ledger.admin.periods import AccountingPeriodAdmin

__all__ = [
    "AccountAdmin",
    "AccountGroupAdmin",
    "AccountingPeriodAdmin",
    "AuditEventAdmin",
    "HoldAdmin",
    "JournalEntryAdmin",
    "ReadOnlyAdmin",
    "SealAdmin",
]
