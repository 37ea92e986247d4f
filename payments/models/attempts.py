"""What gateways were asked, and what they answered."""

from django.db import models


class GatewayAttempt(models.Model):
    """One question to a gateway about one payment or refund, written with what came of it."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        UNANSWERED = "unanswered"  # nobody knows yet

    gateway = models.CharField(max_length=40, help_text="Its code.")
    subject = models.CharField(max_length=40, help_text="Public id of the payment or refund.")
    number = models.PositiveIntegerField(help_text="Which attempt at the row it was; from 1.")
    action = models.CharField(max_length=10, help_text="What was wanted: charge, capture …")
    is_enquiry = models.BooleanField(
        help_text="Only asked what became of an earlier attempt; nothing was to move."
    )
    asked_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(help_text="Until its whole batch was answered.")
    answer = models.CharField(max_length=10, choices=Answer)
    detail = models.CharField(max_length=255, blank=True, help_text="Code or reason.")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["subject"], name="payments_attempt_by_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}: {self.answer}"
