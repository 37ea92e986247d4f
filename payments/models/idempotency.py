"""What merchants may send again without doing it twice."""

from django.db import models
from django.db.models.functions import Now

from payments.models.merchants import Merchant


class IdempotencyKey(models.Model):
    """A request that was carried out, and the answer it got, byte for byte.

    Written in the transaction of what it did. Rows are purged after IDEMPOTENCY_DAYS; what they did
    stays unique by its own constraints (a payment's key and reference).
    """

    # That it exists, a trigger proves once per statement; merchants are never deleted.
    merchant = models.ForeignKey(
        Merchant,
        on_delete=models.PROTECT,
        related_name="idempotency_keys",
        db_index=False,
        db_constraint=False,
    )
    route = models.CharField(max_length=60, help_text="The operation, e.g. create_payment.")
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(help_text="SHA-256 of the path and the raw body.")
    request_id = models.CharField(max_length=40, help_text="Of the request that was carried out.")
    http_status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=200, blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        # Named here, not by `unique=True`, which would add a second index for LIKE.
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "route", "key"], name="payments_idempotency_once_per_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
