"""Where events are sent, and how that went. The wire format is Standard Webhooks 1.0."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from payments.models.events import Event
from payments.models.merchants import Merchant
from payments.work import Work, due_index

ANSWER_LENGTH_MAX = 2_048
CONCURRENCY_MAX = 4


def endpoint_id() -> str:
    return new_id("we")


def delivery_id() -> str:
    return new_id("wd")


class WebhookEndpoint(models.Model):
    """A URL of a merchant's, or of the operator's, and the events it wants."""

    class Status(models.TextChoices):
        ENABLED = "ENABLED"
        DISABLED = "DISABLED"  # by a person, or by its own 410; its deliveries wait
        DISABLED_AUTO = "DISABLED_AUTO"  # it failed for days; its deliveries wait

    TRANSITIONS = {
        Status.ENABLED: {Status.DISABLED, Status.DISABLED_AUTO},
        Status.DISABLED: {Status.ENABLED},
        Status.DISABLED_AUTO: {Status.ENABLED, Status.DISABLED},
    }

    public_id = models.CharField(max_length=40, default=endpoint_id, editable=False)
    merchant = models.ForeignKey(
        Merchant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="webhook_endpoints",
        help_text="Without one it is the operator's, and gets every merchant's events.",
    )
    url = models.CharField(max_length=2_000)
    description = models.CharField(max_length=255, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=60), help_text="E.g. payment.succeeded, refund.*, or *."
    )
    status = models.CharField(max_length=13, choices=Status, default=Status.ENABLED)
    disabled_reason = models.CharField(max_length=255, blank=True)
    secret = models.BinaryField(help_text="Encrypted; the key is not in the database.")
    previous_secret = models.BinaryField(null=True, blank=True, help_text="Signs too, for a while.")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    concurrency = models.PositiveSmallIntegerField(
        default=CONCURRENCY_MAX,
        help_text="Deliveries at once; halved when it asks us to slow down.",
    )
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when every attempt has failed."
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("enable_webhookendpoint", "Can enable webhook endpoints"),
            ("disable_webhookendpoint", "Can disable webhook endpoints"),
            ("rotate_webhookendpoint", "Can give webhook endpoints another secret"),
            ("test_webhookendpoint", "Can send tests to webhook endpoints"),
            ("replay_webhookendpoint", "Can send past events to webhook endpoints again"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"], name="payments_endpoint_public_id_unique"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["ENABLED", "DISABLED", "DISABLED_AUTO"]),
                name="payments_endpoint_status_known",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | ~Q(status="ENABLED"),
                name="payments_endpoint_removed_is_disabled",
            ),
            models.CheckConstraint(
                condition=Q(concurrency__gte=1, concurrency__lte=CONCURRENCY_MAX),
                name="payments_endpoint_concurrency",
            ),
            models.CheckConstraint(
                condition=Q(previous_secret__isnull=True, previous_secret_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_secret_until__isnull=False),
                name="payments_endpoint_previous_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.url}"


class WebhookDelivery(Work):
    """One event for one endpoint, written with the event."""

    class Status(models.TextChoices):
        PENDING = "PENDING"
        DELIVERED = "DELIVERED"  # answered 2xx
        FAILED = "FAILED"  # given up after the last attempt

    TRANSITIONS = {
        Status.PENDING: {Status.DELIVERED, Status.FAILED},
        Status.DELIVERED: {Status.PENDING},  # somebody asked for it again
        Status.FAILED: {Status.PENDING},
    }

    public_id = models.CharField(max_length=40, default=delivery_id, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    tries = models.PositiveIntegerField(
        default=0, help_text="Since it was last asked for: where it is on the schedule."
    )
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        indexes = [
            due_index("payments_delivery_due"),
            # However long the queue of one endpoint, the others' are found beside it.
            models.Index(
                fields=["endpoint", "due_at", "id"],
                name="payments_delivery_waiting",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["endpoint"],
                name="payments_delivery_in_hand",
                condition=Q(holder__isnull=False),
            ),
            models.Index(
                fields=["endpoint"],
                name="payments_delivery_set_aside",
                condition=Q(status="PENDING", due_at__isnull=True),
            ),
            models.Index(fields=["endpoint", "-id"], name="payments_delivery_by_endpoint"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"], name="payments_delivery_public_id_unique"
            ),
            models.UniqueConstraint(
                fields=["endpoint", "event"], name="payments_delivery_once_per_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "DELIVERED", "FAILED"]),
                name="payments_delivery_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="PENDING") | Q(due_at__isnull=True),
                name="payments_delivery_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class WebhookAttempt(models.Model):
    """One request to an endpoint and what came back."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.PROTECT, related_name="attempts_made"
    )
    number = models.PositiveIntegerField(help_text="Which attempt at the delivery; from 1.")
    asked_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(
        max_length=60, blank=True, help_text="Class of what went wrong: timeout, refused …"
    )
    answer = models.CharField(
        max_length=ANSWER_LENGTH_MAX, blank=True, help_text="The start of the body."
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="payments_webhookattempt_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} attempt {self.number}"
