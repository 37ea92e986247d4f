"""Work that the calendar asks for."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.work import Work, due_index


class JobRun(Work):
    """One job for one business period: once, however many schedulers see that it is due."""

    class Status(models.TextChoices):
        DUE = "DUE"  # written down; not done yet
        DONE = "DONE"
        SKIPPED = "SKIPPED"  # somebody gave it up

    TRANSITIONS = {
        Status.DUE: {Status.DONE, Status.SKIPPED},
        Status.DONE: set(),
        Status.SKIPPED: set(),
    }

    job = models.CharField(max_length=60)
    business_period = models.CharField(
        max_length=80, help_text="The day, or moment, or merchant's period, that it is run for."
    )
    status = models.CharField(max_length=7, choices=Status, default=Status.DUE)
    result = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("skip_jobrun", "Can skip runs of jobs")]
        indexes = [due_index("payments_jobrun_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "business_period"], name="payments_jobrun_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["DUE", "DONE", "SKIPPED"]),
                name="payments_jobrun_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="DUE") | Q(due_at__isnull=True),
                name="payments_jobrun_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.business_period}"
