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
    address = models.CharField(
        max_length=45, blank=True, db_default="", help_text="Where that request came from."
    )
    user_agent = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="What the request said its program was.",
    )
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        permissions = [("export_auditevent", "Can export the audit trail")]
        indexes = [
            models.Index(fields=["subject"], name="ledger_auditevent_by_subject"),
            models.Index(fields=["actor_label", "id"], name="ledger_auditevent_by_actor"),
            models.Index(fields=["action", "id"], name="ledger_auditevent_by_action"),
            models.Index(fields=["created_at"], name="ledger_auditevent_by_time"),
            # How often somebody guessed from an address lately.
            models.Index(
                fields=["address", "id"],
                name="ledger_auditevent_guesses",
                condition=models.Q(action__in=["sign_in.failed", "second_factor.failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
