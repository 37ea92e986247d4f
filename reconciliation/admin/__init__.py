"""Back-office screens of reconciliation."""

from reconciliation.admin.discrepancies import DiscrepancyAdmin
from reconciliation.admin.files import StatementFileAdmin
from reconciliation.admin.matches import MatchAdmin
from reconciliation.admin.quarantine import RejectedLineAdmin
from reconciliation.admin.records import StatementLineAdmin
from reconciliation.admin.runs import ReconciliationRunAdmin
from reconciliation.admin.sign_offs import SignOffAdmin
from reconciliation.admin.sources import SourceAdmin
from reconciliation.admin.write_offs import WriteOffAdmin

__all__ = [
    "DiscrepancyAdmin",
    "MatchAdmin",
    "ReconciliationRunAdmin",
    "RejectedLineAdmin",
    "SignOffAdmin",
    "SourceAdmin",
    "StatementFileAdmin",
    "StatementLineAdmin",
    "WriteOffAdmin",
]
