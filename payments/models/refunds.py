"""Refunds."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models.merchants import Merchant
from payments.models.payments import Payment
from payments.work import Work, due_index


def refund_id() -> str:
    return new_id("re")


class Refund(Work):
    """Money a merchant gives back; it counts against the payment as soon as it is asked for."""

    class Status(models.TextChoices):
        PENDING = "PENDING"  # written down; the gateway has not been asked
        PROCESSING = "PROCESSING"  # asked; the outcome may be unknown, no money is booked
        SUCCEEDED = "SUCCEEDED"  # the gateway took it from what it owes us, we from the merchant
        FAILED = "FAILED"  # nothing moved; the amount is refundable again

    TRANSITIONS = {
        Status.PENDING: {Status.PROCESSING},
        Status.PROCESSING: {Status.SUCCEEDED, Status.FAILED},
        Status.SUCCEEDED: set(),
        Status.FAILED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=refund_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="refunds")
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64)
    reference = models.CharField(max_length=80, help_text="What processors report back.")
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    fee_returned = models.BigIntegerField(
        default=0, help_text="Of our fee, given back to the merchant with it; minor units."
    )
    reason = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_reason = models.CharField(max_length=255, blank=True)
    gateway_reference = models.CharField(max_length=80, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    effective_at = models.DateTimeField(null=True, help_text="When the money moved in the world.")

    settlement_currency = models.CharField(max_length=3)
    settlement_due_on = models.DateField(null=True)
    processor_fee_expected = models.BigIntegerField(null=True)
    processor_fee_currency = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            due_index("payments_refund_due"),
            models.Index(fields=["reference"], name="payments_refund_by_reference"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "idempotency_key"], name="payments_refund_once_per_key"
            ),
            models.UniqueConstraint(
                fields=["merchant", "reference"], name="payments_refund_reference_unique"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="payments_refund_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "PROCESSING", "SUCCEEDED", "FAILED"]),
                name="payments_refund_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="SUCCEEDED", effective_at__isnull=False)
                | (~Q(status="SUCCEEDED") & Q(effective_at__isnull=True)),
                name="payments_refund_effective_iff_succeeded",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "PROCESSING"]) | Q(due_at__isnull=True),
                name="payments_refund_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
