"""The append-only journal and the seals that prove it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.entries import Direction
from ledger.ids import new_id
from ledger.models.accounts import Account
from ledger.money import Money


def journal_entry_id() -> str:
    return new_id("je")


class JournalEntry(models.Model):
    """One balanced, immutable set of postings. The database refuses to change or delete it."""

    public_id = models.CharField(max_length=40, default=journal_entry_id, editable=False)
    idempotency_key = models.CharField(max_length=200)
    fingerprint = models.BinaryField(
        help_text="SHA-256 of the content: tells a replay from a clash."
    )
    kind = models.CharField(max_length=40)
    reference = models.CharField(
        max_length=80, help_text="Public id of the business object it is about."
    )
    posting_count = models.PositiveSmallIntegerField()
    effective_at = models.DateTimeField(help_text="When it happened in the world.")
    late_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it really happened, if that period was closed and it was moved on.",
    )
    posted_at = models.DateTimeField(db_default=Now(), help_text="When it was written here.")
    reverses = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reversals",
        db_index=False,
        db_constraint=False,  # the trigger ledger_entry_complete proves it
        help_text="The entry this one undoes; each at most once.",
    )

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "journal entries"
        # Named here, not by `unique=True`, which would add a second index to each for LIKE.
        indexes = [models.Index(fields=["reference"], name="ledger_entry_by_reference")]
        constraints = [
            models.UniqueConstraint(fields=["public_id"], name="ledger_entry_public_id_unique"),
            models.UniqueConstraint(fields=["idempotency_key"], name="ledger_entry_once_per_key"),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="ledger_entry_reversed_once",
            ),
            models.CheckConstraint(
                condition=Q(posting_count__gte=2), name="ledger_entry_two_postings"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def reversed_by(self) -> "JournalEntry | None":
        return self.reversals.first()


class Posting(models.Model):
    """One debit or credit of one account. Only the statement that inserts its entry may add it."""

    pk = models.CompositePrimaryKey("entry_id", "position")
    entry = models.ForeignKey(
        JournalEntry,
        on_delete=models.PROTECT,
        related_name="postings",
        db_index=False,
        db_constraint=False,  # the trigger ledger_entry_complete proves it, at half the cost
    )
    position = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="postings",
        db_index=False,
        db_constraint=False,  # the trigger ledger_entry_balances proves it
    )
    direction = models.CharField(
        max_length=6, choices=[(side.value, side.value) for side in Direction]
    )
    amount = models.BigIntegerField(help_text="Minor units, always positive.")

    class Meta:
        ordering = ["entry_id", "position"]
        indexes = [models.Index(fields=["account", "entry"], name="ledger_posting_by_account")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="ledger_posting_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=[side.value for side in Direction]),
                name="ledger_posting_direction_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.account_id} {self.amount}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.account.currency)
