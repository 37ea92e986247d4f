"""The simulated processor's own journal: what it did, independent of what we know of it."""

from django.db import models
from django.db.models.functions import Now

from ledger.money import Money


def simulated_reference(operation_id: int) -> str:
    return f"sim_{operation_id:012d}"


class SimulatedOperation(models.Model):
    """One charge or refund as the simulated processor remembers it. One row per key, ever."""

    class Kind(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"
        AUTHORIZE = "authorize"
        CAPTURE = "capture"
        CANCEL = "cancel"

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        BROKEN = "broken"  # answered with an error once; the next call with the key is accepted

    gateway = models.CharField(max_length=40)
    key = models.CharField(max_length=120, help_text="Our key for the call.")
    kind = models.CharField(max_length=10, choices=Kind)
    merchant = models.CharField(max_length=40)
    source = models.CharField(max_length=80)
    reference = models.CharField(max_length=80)
    parent_reference = models.CharField(max_length=80, blank=True)
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    outcome = models.CharField(max_length=10, choices=Outcome)
    decline_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    reported_on = models.DateField(null=True, help_text="Day of the report that contains it.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="payments_simulatedoperation_once_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def gateway_reference(self) -> str:
        return simulated_reference(self.pk)
