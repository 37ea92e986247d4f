"""Who does the work, and the work nobody could do."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Heartbeat(models.Model):
    """One process that takes work. It lives as long as `seen_at` is fresh."""

    node = models.CharField(max_length=255, help_text="The worker that this process belongs to.")
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.node} {self.pid}"


class ParkedWork(models.Model):
    """A row of work that killed its workers or failed too often; it waits for a person.

    To discard it takes two: money may be behind it.
    """

    class Resolution(models.TextChoices):
        RETRIED = "RETRIED"  # it is due again, with nothing counted against it
        DISCARDED = "DISCARDED"  # it is given up

    queue = models.CharField(max_length=80, help_text="The table of the row.")
    row_id = models.BigIntegerField()
    subject = models.CharField(max_length=120, help_text="The row's own name.")
    problem = models.TextField()
    attempts = models.PositiveIntegerField()
    deaths = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    parked_at = models.DateTimeField(db_default=Now())
    discard_asked_by = models.CharField(max_length=120, blank=True)
    discard_reason = models.CharField(max_length=500, blank=True)
    resolution = models.CharField(max_length=9, choices=Resolution, blank=True)
    resolved_by = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "parked work"
        permissions = [("ask_to_discard_parkedwork", "Can ask for parked work to be given up")]
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "row_id"],
                condition=Q(resolved_at__isnull=True),
                name="payments_parkedwork_once",
            ),
            models.CheckConstraint(
                condition=Q(resolution="", resolved_at__isnull=True, resolved_by="")
                | (
                    Q(resolution__in=["RETRIED", "DISCARDED"], resolved_at__isnull=False)
                    & ~Q(resolved_by="")
                ),
                name="payments_parkedwork_resolved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(resolution="DISCARDED")
                | (
                    ~Q(discard_asked_by="")
                    & ~Q(discard_reason="")
                    & ~Q(discard_asked_by=F("resolved_by"))
                ),
                name="payments_parkedwork_discarded_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.queue} {self.subject}"
