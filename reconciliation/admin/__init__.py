"""Back-office screens of reconciliation."""

from reconciliation.admin.discrepancies import DiscrepancyAdmin
from reconciliation.admin.files import RejectedLineAdmin, StatementFileAdmin
from reconciliation.admin.records import SourceAdmin
from reconciliation.admin.sign_offs import SignOffAdmin
from reconciliation.admin.write_offs import WriteOffAdmin

__all__ = [
    "DiscrepancyAdmin",
    "RejectedLineAdmin",
    "SignOffAdmin",
    "SourceAdmin",
    "StatementFileAdmin",
    "WriteOffAdmin",
]
