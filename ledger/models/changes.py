"""Changes of settings and of access, which take two people."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from ledger.ids import new_id

LIFETIME = timedelta(hours=72)


def change_request_id() -> str:
    return new_id("chg")


class ChangeRequest(models.Model):
    """A change that one person asked for and another one decides.

    What is asked is frozen: the database refuses to change anything but the decision, and that
    once. `digest` is the SHA-256 over kind, subject, payload, what was in force, who and why.
    """

    class Status(models.TextChoices):
        REQUESTED = "REQUESTED"  # nothing changed
        APPLIED = "APPLIED"  # a second person agreed, and it is so
        REFUSED = "REFUSED"  # nothing changed
        WITHDRAWN = "WITHDRAWN"  # nothing changed

    TRANSITIONS = {
        Status.REQUESTED: {Status.APPLIED, Status.REFUSED, Status.WITHDRAWN},
        Status.APPLIED: set(),
        Status.REFUSED: set(),
        Status.WITHDRAWN: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=change_request_id)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80, help_text="Public id of what it is about.")
    payload = models.JSONField(help_text="What is asked for.")
    in_force = models.JSONField(help_text="What was so when it was asked for.")
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=500)
    requested_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status, default=Status.REQUESTED)
    decided_by = models.CharField(max_length=120, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "APPLIED", "REFUSED", "WITHDRAWN"]),
                name="ledger_change_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="REQUESTED", decided_by="", decided_at__isnull=True)
                | (~Q(status="REQUESTED") & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="ledger_change_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status="APPLIED") | ~Q(decided_by=F("requested_by")),
                name="ledger_change_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(status="APPLIED") | Q(decided_at__lte=F("expires_at")),
                name="ledger_change_in_time",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__lte=F("created_at") + LIFETIME),
                name="ledger_change_expires",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
