"""Back-office screens of settlements, one module per noun; Django finds them by importing this."""

from settlements.admin.accounts import DebtorAccountAdmin, MerchantBankAccountAdmin
from settlements.admin.adjustments import AdjustmentAdmin
from settlements.admin.batches import SettlementAdmin, SettlementBatchAdmin
from settlements.admin.payout_files import PayoutFileAdmin
from settlements.admin.payouts import PayoutAdmin, PayoutAttemptAdmin
from settlements.admin.schedules import ReserveHoldAdmin, SettlementScheduleAdmin
from settlements.admin.simulator import SimulatedBankEntryAdmin

__all__ = [
    "AdjustmentAdmin",
    "DebtorAccountAdmin",
    "MerchantBankAccountAdmin",
    "PayoutAdmin",
    "PayoutAttemptAdmin",
    "PayoutFileAdmin",
    "ReserveHoldAdmin",
    "SettlementAdmin",
    "SettlementBatchAdmin",
    "SettlementScheduleAdmin",
    "SimulatedBankEntryAdmin",
]
