"""Entries that end a discrepancy."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from reconciliation.models.discrepancies import Discrepancy


def write_off_id() -> str:
    return new_id("wo")


class WriteOff(models.Model):
    """An entry that ends a discrepancy, asked for by one person and approved by another.

    `direction` is the side on which the account that is off is posted; the other side is
    `counter_account`. What is approved is exactly what was shown, and what is posted.
    """

    class Kind(models.TextChoices):
        ACCEPTED_DIFFERENCE = "accepted_difference"  # small, and nobody's fault
        WRITE_OFF = "write_off"  # lost or won for good
        BOOKING = "booking"  # an unexplained bank line finds its account

    class Status(models.TextChoices):
        REQUESTED = "REQUESTED"  # nothing moved
        POSTED = "POSTED"  # a second person agreed; its entry is in the ledger
        REFUSED = "REFUSED"  # nothing moved
        WITHDRAWN = "WITHDRAWN"  # nothing moved
        REVERSED = "REVERSED"  # it was posted and taken back

    TRANSITIONS = {
        Status.REQUESTED: {Status.POSTED, Status.REFUSED, Status.WITHDRAWN},
        Status.POSTED: {Status.REVERSED},
        Status.REFUSED: set(),
        Status.WITHDRAWN: set(),
        Status.REVERSED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=write_off_id, editable=False)
    discrepancy = models.ForeignKey(
        Discrepancy, on_delete=models.PROTECT, related_name="write_offs"
    )
    kind = models.CharField(max_length=20, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.REQUESTED)
    account = models.CharField(max_length=120, help_text="Code of the account that is off.")
    direction = models.CharField(max_length=6, choices=[("debit", "debit"), ("credit", "credit")])
    counter_account = models.CharField(max_length=120)
    amount = models.BigIntegerField(help_text="Minor units, positive.")
    currency = models.CharField(max_length=3)
    effective_on = models.DateField()
    reason_code = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    requested_by = models.CharField(max_length=120)
    decided_by = models.CharField(max_length=120, blank=True)
    journal_entry = models.CharField(
        max_length=40, blank=True, help_text="Public id of the entry it posted."
    )
    created_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("approve_writeoff", "Can approve write-offs that somebody else asked for"),
            ("refuse_writeoff", "Can refuse write-offs"),
            ("withdraw_writeoff", "Can withdraw write-offs that wait"),
            ("reverse_writeoff", "Can have the entry of a write-off undone"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["discrepancy"],
                condition=Q(status__in=["REQUESTED", "POSTED"]),
                name="reconciliation_writeoff_one_alive",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "POSTED", "REFUSED", "WITHDRAWN", "REVERSED"]),
                name="reconciliation_writeoff_status_known",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="reconciliation_writeoff_positive"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=["debit", "credit"]),
                name="reconciliation_writeoff_direction_known",
            ),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by="")
                | (~Q(status="REQUESTED") & ~Q(decided_by="")),
                name="reconciliation_writeoff_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["POSTED", "REVERSED"])
                | (~Q(decided_by=F("requested_by")) & ~Q(journal_entry="")),
                name="reconciliation_writeoff_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
