"""Days that somebody put a name under."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from reconciliation.models.sources import SourceAccount


def sign_off_id() -> str:
    return new_id("so")


class SignOff(models.Model):
    """The tie-out of one account and day, as it was known then: the very text that was signed."""

    class Status(models.TextChoices):
        PREPARED = "PREPARED"  # one person says that it is complete
        SIGNED = "SIGNED"  # a second one agreed; frozen
        WITHDRAWN = "WITHDRAWN"  # never signed, or taken back for a reason

    TRANSITIONS = {
        Status.PREPARED: {Status.SIGNED, Status.WITHDRAWN},
        Status.SIGNED: {Status.WITHDRAWN},
        Status.WITHDRAWN: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=sign_off_id, editable=False)
    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="sign_offs"
    )
    day = models.DateField()
    known_at = models.DateTimeField(help_text="What was posted or loaded later is not in it.")
    status = models.CharField(max_length=9, choices=Status, default=Status.PREPARED)
    content = models.TextField(help_text="The report, canonical JSON.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    prepared_by = models.CharField(max_length=120)
    prepared_at = models.DateTimeField(db_default=Now())
    signed_by = models.CharField(max_length=120, blank=True)
    signed_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was withdrawn.")

    class Meta:
        ordering = ["-day", "source_account"]
        constraints = [
            models.UniqueConstraint(
                fields=["source_account", "day"],
                condition=Q(status__in=["PREPARED", "SIGNED"]),
                name="reconciliation_signoff_one_per_day",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PREPARED", "SIGNED", "WITHDRAWN"]),
                name="reconciliation_signoff_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="PREPARED", signed_by="")
                | (Q(status="SIGNED", signed_at__isnull=False) & ~Q(signed_by=""))
                | (Q(status="WITHDRAWN") & ~Q(withdrawn_by="") & ~Q(reason="")),
                name="reconciliation_signoff_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(signed_by="") | ~Q(signed_by=F("prepared_by")),
                name="reconciliation_signoff_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_account} {self.day}"
