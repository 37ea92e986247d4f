"""Routes below /api/v1 that belong to payments."""

from django.urls import path

from payments.api.account_reports import (
    AccountDifference,
    AccountProofs,
    AccountReports,
    TransactionProof,
)
from payments.api.accounts import (
    AccountBalance,
    AccountDetail,
    AccountLedger,
    Accounts,
    AccountTrail,
)
from payments.api.api_keys import ApiKeyDetail, ApiKeyRotation, ApiKeys
from payments.api.auth import Me, Token, TokenRefresh, TokenRevocation
from payments.api.batches import PaymentBatches
from payments.api.captures import PaymentCancel, PaymentCapture
from payments.api.disputes import DisputeDetail, Disputes
from payments.api.events import EventDetail, Events
from payments.api.gateway_events import GatewayEvents
from payments.api.merchants import MyMerchant, SignUp
from payments.api.payments import PaymentDetail, Payments
from payments.api.refunds import PaymentRefunds, RefundDetail
from payments.api.stats import CacheStatsView, QueueStatsView
from payments.api.transactions import (
    TransactionDetail,
    TransactionRefund,
    Transactions,
    TransactionStatusByKey,
)
from payments.api.webhook_deliveries import (
    WebhookDeliveries,
    WebhookDeliveryDetail,
    WebhookDeliveryRetry,
    WebhookReplay,
    WebhookTest,
)
from payments.api.webhook_endpoints import (
    WebhookEndpointDetail,
    WebhookEndpointDisabling,
    WebhookEndpointEnabling,
    WebhookEndpoints,
    WebhookSecretRotation,
)

urlpatterns = [
    path("payments", Payments.as_view()),
    path("payments/batch", PaymentBatches.as_view()),
    path("payments/<str:payment_id>", PaymentDetail.as_view()),
    path("payments/<str:payment_id>/capture", PaymentCapture.as_view()),
    path("payments/<str:payment_id>/cancel", PaymentCancel.as_view()),
    path("payments/<str:payment_id>/refunds", PaymentRefunds.as_view()),
    path("refunds/<str:refund_id>", RefundDetail.as_view()),
    path("disputes", Disputes.as_view()),
    path("disputes/<str:dispute_id>", DisputeDetail.as_view()),
    path("gateways/<str:code>/events", GatewayEvents.as_view()),
    path("events", Events.as_view()),
    path("events/<str:event_id>", EventDetail.as_view()),
    path("webhook-endpoints", WebhookEndpoints.as_view()),
    path("webhook-endpoints/<str:endpoint_id>", WebhookEndpointDetail.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/rotate-secret", WebhookSecretRotation.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/enable", WebhookEndpointEnabling.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/disable", WebhookEndpointDisabling.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/replay", WebhookReplay.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/test", WebhookTest.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/deliveries", WebhookDeliveries.as_view()),
    path(
        "webhook-endpoints/<str:endpoint_id>/deliveries/<str:delivery_id>",
        WebhookDeliveryDetail.as_view(),
    ),
    path(
        "webhook-endpoints/<str:endpoint_id>/deliveries/<str:delivery_id>/retry",
        WebhookDeliveryRetry.as_view(),
    ),
    path("auth/token", Token.as_view()),
    path("auth/token/refresh", TokenRefresh.as_view()),
    path("auth/token/revoke", TokenRevocation.as_view()),
    path("auth/me", Me.as_view()),
    path("merchants/register", SignUp.as_view()),
    path("merchants/me", MyMerchant.as_view()),
    path("api-keys", ApiKeys.as_view()),
    path("api-keys/<str:key_id>", ApiKeyDetail.as_view()),
    path("api-keys/<str:key_id>/rotate", ApiKeyRotation.as_view()),
    path("queue/stats", QueueStatsView.as_view()),
    path("cache/stats", CacheStatsView.as_view()),
    path("accounts", Accounts.as_view()),
    path("accounts/<str:account_id>", AccountDetail.as_view()),
    path("accounts/<str:account_id>/balance", AccountBalance.as_view()),
    path("accounts/<str:account_id>/ledger", AccountLedger.as_view()),
    path("accounts/<str:account_id>/audit-trail", AccountTrail.as_view()),
    path("accounts/<str:account_id>/reconcile", AccountProofs.as_view()),
    path("accounts/<str:account_id>/reconciliation-history", AccountReports.as_view()),
    path("accounts/<str:account_id>/reconciliation-difference", AccountDifference.as_view()),
    path("transactions", Transactions.as_view()),
    # A key may have slashes in it.
    path("transactions/status/<path:idempotency_key>", TransactionStatusByKey.as_view()),
    path("transactions/<str:transaction_id>", TransactionDetail.as_view()),
    path("transactions/<str:transaction_id>/refund", TransactionRefund.as_view()),
    path("transactions/<str:transaction_id>/verify-double-entry", TransactionProof.as_view()),
]
