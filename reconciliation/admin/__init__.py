"""Back-office screens of reconciliation."""

from reconciliation.admin.files import RejectedLineAdmin, StatementFileAdmin
from reconciliation.admin.records import DiscrepancyAdmin

__all__ = ["DiscrepancyAdmin", "RejectedLineAdmin", "StatementFileAdmin"]
