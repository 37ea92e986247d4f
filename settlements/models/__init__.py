"""What we owe merchants per business day, and how it reaches them."""

from settlements.models.accounts import DebtorAccount, MerchantBankAccount
from settlements.models.adjustments import Adjustment, ReserveHold
from settlements.models.batches import Settlement, SettlementBatch
from settlements.models.horizon import SettlementHorizon
from settlements.models.payouts import Payout, PayoutAttempt, PayoutFile
from settlements.models.schedules import SettlementSchedule
from settlements.models.simulator import SimulatedBankEntry

__all__ = [
    "Adjustment",
    "DebtorAccount",
    "MerchantBankAccount",
    "Payout",
    "PayoutAttempt",
    "PayoutFile",
    "ReserveHold",
    "Settlement",
    "SettlementBatch",
    "SettlementHorizon",
    "SettlementSchedule",
    "SimulatedBankEntry",
]
