"""Who pays whom: merchants, their keys, and what they asked the gateways to do."""

from payments.models.disputes import Dispute
from payments.models.fees import FeePlan
from payments.models.gateways import Gateway
from payments.models.merchants import ApiKey, Merchant
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.models.simulator import SimulatedOperation

__all__ = [
    "ApiKey",
    "Dispute",
    "FeePlan",
    "Gateway",
    "Merchant",
    "Payment",
    "Refund",
    "SimulatedOperation",
]
