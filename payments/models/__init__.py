"""Who pays whom: merchants, their keys, and what they asked the gateways to do."""

from payments.models.attempts import GatewayAttempt
from payments.models.disputes import Dispute
from payments.models.events import Event
from payments.models.fees import FeePlan
from payments.models.gateways import Gateway
from payments.models.idempotency import IdempotencyKey
from payments.models.inbound import GatewayEvent
from payments.models.jobs import JobRun
from payments.models.logins import Login
from payments.models.merchants import ApiKey, Merchant, MerchantMember
from payments.models.payments import Payment
from payments.models.refunds import Refund
from payments.models.simulator import SimulatedOperation
from payments.models.transfers import AccountReport, Transfer
from payments.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.models.workers import Heartbeat, ParkedWork

__all__ = [
    "AccountReport",
    "ApiKey",
    "Dispute",
    "Event",
    "FeePlan",
    "Gateway",
    "GatewayAttempt",
    "GatewayEvent",
    "Heartbeat",
    "IdempotencyKey",
    "JobRun",
    "Login",
    "Merchant",
    "MerchantMember",
    "ParkedWork",
    "Payment",
    "Refund",
    "SimulatedOperation",
    "Transfer",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
