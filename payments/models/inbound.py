"""What gateways tell us by themselves."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.models.gateways import Gateway
from payments.work import Work, due_index


class GatewayEvent(Work):
    """A message of a gateway, kept as it came; its signature was right. Each is acted on once."""

    class Status(models.TextChoices):
        RECEIVED = "RECEIVED"  # kept; not acted on yet
        PROCESSED = "PROCESSED"  # what it says is in our rows
        IGNORED = "IGNORED"  # of a kind, or about a thing, that is not ours
        FAILED = "FAILED"  # contradicts our rows; somebody has to look

    TRANSITIONS = {
        Status.RECEIVED: {Status.PROCESSED, Status.IGNORED, Status.FAILED},
        Status.PROCESSED: set(),
        Status.IGNORED: set(),
        Status.FAILED: {Status.PROCESSED, Status.IGNORED},
    }

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT, related_name="events")
    event_id = models.CharField(max_length=120, help_text="The gateway's own id of it.")
    kind = models.CharField(
        max_length=80, help_text="The gateway's own name, e.g. charge.refunded."
    )
    body = models.BinaryField()
    status = models.CharField(max_length=9, choices=Status, default=Status.RECEIVED)
    result = models.CharField(max_length=255, blank=True, help_text="What was done, or why not.")
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [due_index("payments_gatewayevent_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "event_id"], name="payments_gatewayevent_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["RECEIVED", "PROCESSED", "IGNORED", "FAILED"]),
                name="payments_gatewayevent_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="RECEIVED") | Q(due_at__isnull=True),
                name="payments_gatewayevent_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
