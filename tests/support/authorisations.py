"""Payments that are only authorised."""

from django.utils import timezone

from payments.models import Payment, SimulatedOperation
from payments.services.processing import process_payments


def operations(payment: Payment) -> list[tuple[str, int, str]]:
    """What the processor did about a payment: (kind, minor units, outcome)."""
    rows = SimulatedOperation.objects.filter(merchant=payment.merchant.code).order_by("pk")
    return [(row.kind, row.amount, row.outcome) for row in rows]


def process(payment: Payment) -> Payment:
    """What is due becomes due now, and one worker comes by."""
    Payment.objects.filter(pk=payment.pk, due_at__isnull=False).update(
        due_at=timezone.now(), leased_until=timezone.now()
    )
    process_payments()
    return Payment.objects.get(pk=payment.pk)
