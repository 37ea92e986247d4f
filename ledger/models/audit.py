"""Who did what, and why."""

from django.db import models
from django.db.models.functions import Now


class AuditEvent(models.Model):
    """Who did what to what, and why. The database refuses to change or delete it."""

    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=120)
    action = models.CharField(max_length=60, help_text="noun.verb_past, e.g. payout.approved")
    subject = models.CharField(max_length=80, help_text="Public id of what it was done to.")
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(
        max_length=40, blank=True, help_text="Of the HTTP request it was done by."
    )
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject"], name="ledger_auditevent_by_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
