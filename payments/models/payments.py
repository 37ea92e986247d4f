"""Payments."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models.fees import FeePlan
from payments.models.gateways import Gateway
from payments.models.merchants import Merchant
from payments.work import Work, due_index

PAYMENT_PREFIX = "pay"


def payment_id() -> str:
    return new_id(PAYMENT_PREFIX)


class Payment(Work):
    """A merchant's wish to collect one amount from one payer, and what became of it."""

    class Status(models.TextChoices):
        PENDING = "PENDING"  # written down; the gateway has not been asked
        PROCESSING = "PROCESSING"  # asked; the outcome may be unknown, no money is booked
        AUTHORIZED = "AUTHORIZED"  # the payer's bank keeps it for us; no money is booked
        SUCCEEDED = "SUCCEEDED"  # the gateway owes us the money, we owe the merchant
        FAILED = "FAILED"  # declined; nothing moved
        CANCELED = "CANCELED"  # an authorisation was given back; nothing moved
        EXPIRED = "EXPIRED"  # an authorisation ran out; nothing moved

    class Capture(models.TextChoices):
        AUTOMATIC = "automatic"  # the money moves as soon as the gateway agrees
        MANUAL = "manual"  # it is authorised first, and moves when the merchant says so

    TRANSITIONS = {
        Status.PENDING: {Status.PROCESSING},
        Status.PROCESSING: {Status.AUTHORIZED, Status.SUCCEEDED, Status.FAILED},
        Status.AUTHORIZED: {Status.SUCCEEDED, Status.CANCELED, Status.EXPIRED},
        Status.SUCCEEDED: set(),
        Status.FAILED: set(),
        Status.CANCELED: set(),
        Status.EXPIRED: set(),
    }

    public_id = models.CharField(max_length=40, default=payment_id, editable=False)
    # That both exist, triggers prove once per statement; neither is ever deleted.
    merchant = models.ForeignKey(
        Merchant,
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,
        db_constraint=False,
    )
    gateway = models.ForeignKey(
        Gateway,
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,
        db_constraint=False,
    )
    idempotency_key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of what was asked.")
    reference = models.CharField(
        max_length=80, help_text="The merchant's name for it; what processors report back."
    )
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    capture = models.CharField(max_length=9, choices=Capture, default=Capture.AUTOMATIC)
    amount_to_capture = models.BigIntegerField(
        null=True,
        help_text="Minor units the gateway is to capture of an authorisation; empty: none.",
    )
    cancel_requested_at = models.DateTimeField(
        null=True, help_text="Since when the gateway is to give an authorisation back."
    )
    authorized_until = models.DateTimeField(
        null=True, help_text="When an authorisation runs out by itself."
    )
    amount_captured = models.BigIntegerField(
        default=0, help_text="Minor units that moved: the amount, or less of an authorisation."
    )
    amount_refunded = models.BigIntegerField(
        default=0, help_text="Minor units refunded or being refunded."
    )
    fee = models.BigIntegerField(default=0, help_text="Our fee, minor units, fixed on success.")
    # A plan that has begun is never deleted (trigger), so no key has to be checked per payment.
    fee_plan = models.ForeignKey(
        FeePlan,
        null=True,
        on_delete=models.PROTECT,
        related_name="payments",
        db_index=False,
        db_constraint=False,
        help_text="What the fee comes from, and what refunds and disputes go by.",
    )
    source = models.CharField(max_length=80, help_text="Token of the payer's card or account.")
    description = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_reason = models.CharField(max_length=255, blank=True)
    gateway_reference = models.CharField(max_length=80, blank=True)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    effective_at = models.DateTimeField(null=True, help_text="When the money moved in the world.")

    is_settled_elsewhere = models.BooleanField(
        default=False, help_text="History of another system: posts nothing and joins no batch."
    )
    settlement_currency = models.CharField(max_length=3)
    settlement_due_on = models.DateField(
        null=True, help_text="Day by which the processor's report should show it."
    )
    processor_fee_expected = models.BigIntegerField(
        null=True, help_text="What the processor should charge us, minor units of the next field."
    )
    processor_fee_currency = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            due_index("payments_payment_due"),
            models.Index(fields=["merchant", "-id"], name="payments_payment_by_merchant"),
            models.Index(
                fields=["gateway", "gateway_reference"],
                condition=~Q(gateway_reference=""),
                name="payments_payment_by_gateway",
            ),
        ]
        # Named here, not by `unique=True`, which would add a second index for LIKE.
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="payments_payment_public_id_unique"),
            models.UniqueConstraint(
                fields=["merchant", "idempotency_key"], name="payments_payment_once_per_key"
            ),
            # In this order: matching looks for a reference, whoever's it is.
            models.UniqueConstraint(
                fields=["reference", "merchant"], name="payments_payment_reference_unique"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="payments_payment_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=F("amount_captured")),
                name="payments_payment_refunds_within",
            ),
            models.CheckConstraint(
                condition=Q(amount_captured__gt=0, amount_captured__lte=F("amount"))
                & Q(status="SUCCEEDED")
                | ~Q(status="SUCCEEDED") & Q(amount_captured=0),
                name="payments_payment_captured_iff_succeeded",
            ),
            models.CheckConstraint(
                condition=Q(amount_to_capture__isnull=True)
                | Q(amount_to_capture__gt=0, amount_to_capture__lte=F("amount")),
                name="payments_payment_captures_within",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "PENDING",
                        "PROCESSING",
                        "AUTHORIZED",
                        "SUCCEEDED",
                        "FAILED",
                        "CANCELED",
                        "EXPIRED",
                    ]
                ),
                name="payments_payment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="SUCCEEDED", effective_at__isnull=False)
                | (~Q(status="SUCCEEDED") & Q(effective_at__isnull=True)),
                name="payments_payment_effective_iff_succeeded",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "PROCESSING", "AUTHORIZED"])
                | Q(due_at__isnull=True),
                name="payments_payment_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def fee_money(self) -> Money:
        return Money(self.fee, self.currency)

    @property
    def captured_money(self) -> Money:
        return Money(self.amount_captured, self.currency)

    @property
    def refundable(self) -> Money:
        """What is left to refund."""
        return Money(self.amount_captured - self.amount_refunded, self.currency)
