"""Money set aside on an account before it is taken."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.models.accounts import Account
from ledger.models.journal import JournalEntry
from ledger.money import Money


def hold_id() -> str:
    return new_id("hold")


class Hold(models.Model):
    """An amount of one account that only this hold's captures may take. While it is HELD, what is
    left of it counts as pending and is not available to anything else."""

    class Status(models.TextChoices):
        HELD = "HELD"  # what was not captured yet is pending
        CAPTURED = "CAPTURED"  # taken, all or finally; nothing is pending
        VOIDED = "VOIDED"  # given back by somebody; nothing is pending
        EXPIRED = "EXPIRED"  # given back because its time was over; nothing is pending

    TRANSITIONS = {
        Status.HELD: {Status.CAPTURED, Status.VOIDED, Status.EXPIRED},
        Status.CAPTURED: set(),
        Status.VOIDED: set(),
        Status.EXPIRED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=hold_id, editable=False)
    idempotency_key = models.CharField(max_length=200, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds")
    reference = models.CharField(
        max_length=80, help_text="Public id of the business object it is about."
    )
    amount = models.BigIntegerField(help_text="Minor units, always positive.")
    captured = models.BigIntegerField(default=0, help_text="Minor units taken so far.")
    status = models.CharField(max_length=8, choices=Status, default=Status.HELD)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    created_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(status="HELD"), name="ledger_hold_expiring"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=F("amount")),
                name="ledger_hold_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["HELD", "CAPTURED", "VOIDED", "EXPIRED"]),
                name="ledger_hold_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="HELD", ended_at=None)
                | (~Q(status="HELD") & Q(ended_at__isnull=False)),
                name="ledger_hold_ended_once",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.account.currency)

    @property
    def remaining(self) -> Money:
        """What it still keeps pending."""
        is_held = self.status == self.Status.HELD
        return Money(self.amount - self.captured if is_held else 0, self.account.currency)


class HoldCapture(models.Model):
    """One entry that took money a hold had set aside."""

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="captures")
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="capture_of")
    amount = models.BigIntegerField(help_text="Minor units, always positive.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_holdcapture_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.hold} {self.entry}"
