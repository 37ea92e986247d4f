"""Who pays whom: merchants, their keys, and what they asked the gateways to do."""

from payments.models.disputes import Dispute
from payments.models.fees import FeePlan
from payments.models.gateways import Gateway
from payments.models.idempotency import IdempotencyKey
from payments.models.inbound import GatewayEvent
from payments.models.logins import Login
from payments.models.merchants import ApiKey, Merchant, MerchantMember
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.models.simulator import SimulatedOperation
from payments.models.transfers import AccountReport, Transfer

__all__ = [
    "AccountReport",
    "ApiKey",
    "Dispute",
    "FeePlan",
    "Gateway",
    "GatewayEvent",
    "IdempotencyKey",
    "Login",
    "Merchant",
    "MerchantMember",
    "Payment",
    "Refund",
    "SimulatedOperation",
    "Transfer",
]
