"""Reads of payments. What belongs to a merchant is only reachable through the merchant."""

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from ledger.entries import AccountType
from ledger.models import Account
from payments.errors import (
    AccountNotFound,
    ApiKeyNotFound,
    DeliveryNotFound,
    DisputeNotFound,
    EndpointNotFound,
    EventNotFound,
    PaymentNotFound,
    RefundNotFound,
    TransferNotFound,
)
from payments.models import (
    ApiKey,
    Dispute,
    Event,
    Merchant,
    Payment,
    Refund,
    Transfer,
    WebhookDelivery,
    WebhookEndpoint,
)
from payments.models.events import KEPT_FOR


def payments_of(merchant: Merchant) -> QuerySet[Payment]:
    # Through the merchant, whom every payment then knows without reading him again.
    return merchant.payments.order_by("-id")


def payment_of(merchant: Merchant, public_id: str) -> Payment:
    """Raises PaymentNotFound, also for a payment of somebody else."""
    try:
        return payments_of(merchant).get(public_id=public_id)
    except Payment.DoesNotExist:
        raise PaymentNotFound() from None


def refunds_of(merchant: Merchant) -> QuerySet[Refund]:
    return Refund.objects.filter(merchant=merchant).select_related("payment").order_by("-id")


def refund_of(merchant: Merchant, public_id: str) -> Refund:
    """Raises RefundNotFound, also for a refund of somebody else."""
    try:
        return refunds_of(merchant).get(public_id=public_id)
    except Refund.DoesNotExist:
        raise RefundNotFound() from None


def disputes_of(merchant: Merchant) -> QuerySet[Dispute]:
    return Dispute.objects.filter(merchant=merchant).select_related("payment").order_by("-id")


def dispute_of(merchant: Merchant, public_id: str) -> Dispute:
    """Raises DisputeNotFound, also for a dispute of somebody else."""
    try:
        return disputes_of(merchant).get(public_id=public_id)
    except Dispute.DoesNotExist:
        raise DisputeNotFound() from None


def payments_by_state() -> dict[str, int]:
    """How many payments are in each state."""
    counts = Payment.objects.values_list("status").annotate(n=Count("id")).order_by("status")
    return dict(counts)


def wallets_of(merchant: Merchant) -> QuerySet[Account]:
    """The accounts a merchant opened for itself; not what we owe it from sales."""
    return (
        Account.objects.filter(owner=merchant.public_id, type=AccountType.LIABILITY)
        .exclude(code__startswith=f"merchant:{merchant.code}:")
        .select_related("balance")
        .order_by("-id")
    )


def wallet_of(merchant: Merchant, name: str) -> Account:
    """The account with this public id or code. Raises AccountNotFound, also for anybody else's."""
    try:
        return wallets_of(merchant).get(Q(public_id=name) | Q(code=name))
    except (Account.DoesNotExist, Account.MultipleObjectsReturned):
        raise AccountNotFound(name) from None


def transfers_of(merchant: Merchant) -> QuerySet[Transfer]:
    return (
        Transfer.objects.filter(merchant=merchant)
        .select_related("source_account", "destination_account", "refund_of")
        .order_by("-id")
    )


def transfer_of(merchant: Merchant, public_id: str) -> Transfer:
    """Raises TransferNotFound, also for a transfer of somebody else."""
    try:
        return transfers_of(merchant).get(public_id=public_id)
    except Transfer.DoesNotExist:
        raise TransferNotFound() from None


def transfer_by_key(merchant: Merchant, idempotency_key: str) -> Transfer:
    """The transfer asked for under this key. Raises TransferNotFound."""
    try:
        return transfers_of(merchant).get(refund_of=None, idempotency_key=idempotency_key)
    except Transfer.DoesNotExist:
        raise TransferNotFound() from None


def api_keys_of(merchant: Merchant) -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(merchant=merchant).select_related("replaced_by").order_by("-id")


def api_key_of(merchant: Merchant, public_id: str) -> ApiKey:
    """Raises ApiKeyNotFound, also for a key of somebody else."""
    try:
        return api_keys_of(merchant).get(public_id=public_id)
    except ApiKey.DoesNotExist:
        raise ApiKeyNotFound() from None


def events_of(merchant: Merchant | None) -> QuerySet[Event]:
    """Of the last 90 days; None: of all merchants, and the platform's own."""
    rows = Event.objects.filter(created_at__gte=timezone.now() - KEPT_FOR)
    if merchant is not None:
        rows = rows.filter(merchant=merchant)
    return rows.select_related("merchant").order_by("-id")


def event_of(merchant: Merchant | None, public_id: str) -> Event:
    """Raises EventNotFound, also for an event of somebody else."""
    try:
        return events_of(merchant).get(public_id=public_id)
    except Event.DoesNotExist:
        raise EventNotFound() from None


def endpoints_of(merchant: Merchant | None) -> QuerySet[WebhookEndpoint]:
    """Those that were not removed; None: the platform's own."""
    rows = WebhookEndpoint.objects.filter(merchant=merchant, removed_at=None)
    return rows.select_related("merchant").order_by("-id")


def endpoint_of(merchant: Merchant | None, public_id: str) -> WebhookEndpoint:
    """Raises EndpointNotFound, also for an endpoint of somebody else."""
    try:
        return endpoints_of(merchant).get(public_id=public_id)
    except WebhookEndpoint.DoesNotExist:
        raise EndpointNotFound() from None


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event")
    return rows.order_by("-id")


def delivery_of(endpoint: WebhookEndpoint, public_id: str) -> WebhookDelivery:
    """Raises DeliveryNotFound, also for a delivery to another endpoint."""
    try:
        return deliveries_of(endpoint).get(public_id=public_id)
    except WebhookDelivery.DoesNotExist:
        raise DeliveryNotFound() from None
