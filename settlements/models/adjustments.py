"""What moves a merchant's balance besides payments, refunds and disputes."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Merchant


def adjustment_id() -> str:
    return new_id("adj")


class Adjustment(models.Model):
    """A correction of what a merchant is owed, asked for by one person and approved by another."""

    class Status(models.TextChoices):
        REQUESTED = "REQUESTED"  # nothing moved
        POSTED = "POSTED"  # its entry is in the ledger; it joins the next batch
        REFUSED = "REFUSED"  # nothing moved

    TRANSITIONS = {
        Status.REQUESTED: {Status.POSTED, Status.REFUSED},
        Status.POSTED: set(),
        Status.REFUSED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=adjustment_id, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="adjustments")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units; positive: the merchant gains.")
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=9, choices=Status, default=Status.REQUESTED)
    requested_by = models.CharField(max_length=120)
    decided_by = models.CharField(max_length=120, blank=True)
    effective_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("request_adjustment", "Can ask for a merchant to be owed more or less"),
            ("approve_adjustment", "Can approve adjustments that somebody else asked for"),
            ("refuse_adjustment", "Can refuse adjustments"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="settlements_adjustment_not_zero"),
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "POSTED", "REFUSED"]),
                name="settlements_adjustment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by="")
                | (~Q(status="REQUESTED") & ~Q(decided_by="")),
                name="settlements_adjustment_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status="POSTED") | ~Q(decided_by=F("requested_by")),
                name="settlements_adjustment_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class ReserveHold(models.Model):
    """A part of one batch that is kept back until a day, in case payers want their money back."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="reserve_holds")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units.")
    held_on = models.DateField(help_text="Business day of the batch that it was taken from.")
    release_on = models.DateField(help_text="Business day of the batch that gives it back.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "currency", "held_on"], name="settlements_reserve_once_per_day"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="settlements_reserve_positive"),
            models.CheckConstraint(
                condition=Q(release_on__gt=F("held_on")), name="settlements_reserve_released_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} {self.currency} {self.held_on}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
