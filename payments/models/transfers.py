"""Transfers between a merchant's own accounts, and proofs of single accounts."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.models import Account
from ledger.money import Money
from payments.models.merchants import Merchant
from payments.work import Work, due_index


def transfer_id() -> str:
    return new_id("tr")


def report_id() -> str:
    return new_id("rep")


class Transfer(Work):
    """A merchant's wish to move money between two of its accounts, and what became of it."""

    class Status(models.TextChoices):
        ACCEPTED = "ACCEPTED"  # written down; nothing moved
        PROCESSING = "PROCESSING"  # a worker has it; nothing moved
        COMPLETED = "COMPLETED"  # its entry is in the journal
        FAILED = "FAILED"  # the ledger refused it; nothing moved

    TRANSITIONS = {
        Status.ACCEPTED: {Status.PROCESSING},
        Status.PROCESSING: {Status.COMPLETED, Status.FAILED},
        Status.COMPLETED: set(),
        Status.FAILED: set(),
    }

    public_id = models.CharField(max_length=40, default=transfer_id, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="transfers")
    idempotency_key = models.CharField(max_length=255)
    source_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="transfers_out", db_index=False
    )
    destination_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="transfers_in", db_index=False
    )
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    refund_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="refunds"
    )
    amount_refunded = models.BigIntegerField(
        default=0, help_text="Minor units sent back or being sent back."
    )
    reason = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACCEPTED)
    failure_code = models.CharField(max_length=60, blank=True)
    failure_reason = models.CharField(max_length=255, blank=True)
    journal_entry = models.CharField(
        max_length=40, blank=True, help_text="Public id of its entry once it is COMPLETED."
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            due_index("payments_transfer_due"),
            models.Index(fields=["source_account", "-id"], name="payments_transfer_by_source"),
            models.Index(fields=["destination_account", "-id"], name="payments_transfer_by_target"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["public_id"], name="payments_transfer_public_id_unique"
            ),
            models.UniqueConstraint(
                fields=["merchant", "idempotency_key"], name="payments_transfer_once_per_key"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="payments_transfer_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=F("amount")),
                name="payments_transfer_refunds_within",
            ),
            models.CheckConstraint(
                condition=~Q(source_account=F("destination_account")),
                name="payments_transfer_two_accounts",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["ACCEPTED", "PROCESSING", "COMPLETED", "FAILED"]),
                name="payments_transfer_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="COMPLETED") & ~Q(journal_entry="")
                | ~Q(status="COMPLETED") & Q(journal_entry=""),
                name="payments_transfer_entry_iff_completed",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["ACCEPTED", "PROCESSING"]) | Q(due_at__isnull=True),
                name="payments_transfer_final_is_not_due",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def refundable(self) -> Money:
        """What is left to send back."""
        return Money(self.amount - self.amount_refunded, self.currency)


class AccountReport(models.Model):
    """The proof of one account over a period, as it was found. Never changed."""

    public_id = models.CharField(max_length=40, unique=True, default=report_id, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="account_reports")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="reports")
    starts_on = models.DateField()
    ends_on = models.DateField()
    is_balanced = models.BooleanField()
    transaction_count = models.PositiveIntegerField()
    expected_balance = models.BigIntegerField(help_text="Minor units.")
    actual_balance = models.BigIntegerField(help_text="Minor units.")
    discrepancies = models.JSONField(default=list)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.public_id
