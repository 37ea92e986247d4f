"""What happened, for whoever wants to know."""

from datetime import UTC, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, TruncHour

from ledger.ids import new_id
from payments.models.merchants import Merchant

KEPT_FOR = timedelta(days=90)


def event_id() -> str:
    return new_id("evt")


class Event(models.Model):
    """One business fact, written in the transaction of the fact."""

    public_id = models.CharField(max_length=40, default=event_id, editable=False)
    merchant = models.ForeignKey(
        Merchant, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    type = models.CharField(max_length=60, help_text="E.g. payment.succeeded.")
    subject = models.CharField(max_length=40, help_text="Public id of what it is about.")
    sequence = models.PositiveIntegerField(help_text="Among the events about the same; from 1.")
    data = models.TextField(help_text="What the API said of it at that moment, JSON.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["merchant", "-id"], name="payments_event_by_merchant"),
            models.Index(fields=["merchant", "type", "id"], name="payments_event_by_type"),
            # Lists are in the order of ids; this says between which ids an hour's events lie.
            models.Index(TruncHour("created_at", tzinfo=UTC), "id", name="payments_event_by_hour"),
        ]
        constraints = [
            # Not `unique=True`, which would keep an index for LIKE beside it.
            models.UniqueConstraint(fields=["public_id"], name="payments_event_public_id_unique"),
            models.UniqueConstraint(
                fields=["subject", "sequence"], name="payments_event_in_sequence"
            ),
            models.CheckConstraint(
                condition=Q(sequence__gte=1), name="payments_event_sequence_from_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
