"""Back-office screens of payments, one module per noun; Django finds them by importing this one."""

from payments.admin.events import EventAdmin
from payments.admin.fees import FeePlanAdmin
from payments.admin.gateways import GatewayAdmin, GatewayEventAdmin, SimulatedOperationAdmin
from payments.admin.merchants import (
    ApiKeyAdmin,
    IdempotencyKeyAdmin,
    LoginAdmin,
    MerchantAdmin,
    MerchantMemberAdmin,
)
from payments.admin.outcomes import GatewayAttemptAdmin
from payments.admin.parked import ParkedWorkAdmin
from payments.admin.payments import DisputeAdmin, PaymentAdmin, RefundAdmin
from payments.admin.transfers import AccountReportAdmin, TransferAdmin
from payments.admin.webhook_deliveries import WebhookDeliveryAdmin
from payments.admin.webhooks import WebhookEndpointAdmin
from payments.admin.workers import HeartbeatAdmin, JobRunAdmin

__all__ = [
    "AccountReportAdmin",
    "ApiKeyAdmin",
    "DisputeAdmin",
    "EventAdmin",
    "FeePlanAdmin",
    "GatewayAdmin",
    "GatewayAttemptAdmin",
    "GatewayEventAdmin",
    "HeartbeatAdmin",
    "IdempotencyKeyAdmin",
    "JobRunAdmin",
    "LoginAdmin",
    "MerchantAdmin",
    "MerchantMemberAdmin",
    "ParkedWorkAdmin",
    "PaymentAdmin",
    "RefundAdmin",
    "SimulatedOperationAdmin",
    "TransferAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
