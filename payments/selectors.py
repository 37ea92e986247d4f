"""Reads of payments. What belongs to a merchant is only reachable through the merchant."""

from django.db.models import Count, QuerySet

from payments.errors import PaymentNotFound, RefundNotFound
from payments.models import Merchant, Payment, Refund


def payments_of(merchant: Merchant) -> QuerySet[Payment]:
    return Payment.objects.filter(merchant=merchant).select_related("merchant").order_by("-id")


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


def payments_by_state() -> dict[str, int]:
    """How many payments are in each state."""
    counts = Payment.objects.values_list("status").annotate(n=Count("id")).order_by("status")
    return dict(counts)
