"""Disputes."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models.merchants import Merchant
from payments.models.payments import Payment


def dispute_id() -> str:
    return new_id("dp")


class Dispute(models.Model):
    """A payer's bank contests a payment and pulls the money back."""

    class Status(models.TextChoices):
        OPEN = "OPEN"  # the money is gone until it is won
        UNDER_REVIEW = "UNDER_REVIEW"  # evidence was sent
        WON = "WON"  # the money came back
        LOST = "LOST"  # the money stays gone

    TRANSITIONS = {
        Status.OPEN: {Status.UNDER_REVIEW, Status.WON, Status.LOST},
        Status.UNDER_REVIEW: {Status.WON, Status.LOST},
        Status.WON: set(),
        Status.LOST: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=dispute_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="disputes")
    reference = models.CharField(
        max_length=120, unique=True, help_text="The processor's name for it."
    )
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    fee = models.BigIntegerField(default=0, help_text="Our fee to the merchant, minor units.")
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    effective_at = models.DateTimeField(help_text="When the money was pulled back.")
    won_at = models.DateTimeField(null=True, help_text="When the money came back.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="payments_dispute_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "UNDER_REVIEW", "WON", "LOST"]),
                name="payments_dispute_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="WON", won_at__isnull=False)
                | (~Q(status="WON") & Q(won_at__isnull=True)),
                name="payments_dispute_won_at_iff_won",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
