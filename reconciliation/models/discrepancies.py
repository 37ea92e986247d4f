"""What does not tie out."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Payment, Refund
from reconciliation.models.matches import ProcessorPayout, ReconciliationRun
from reconciliation.models.sources import Source
from reconciliation.models.statements import StatementLine


def discrepancy_id() -> str:
    return new_id("disc")


class Discrepancy(models.Model):
    """One difference between our books and a statement, open until somebody or evidence ends it."""

    class Type(models.TextChoices):
        MISSING_SETTLEMENT = "missing_settlement"
        LATE_SETTLEMENT = "late_settlement"
        AMOUNT_MISMATCH = "amount_mismatch"
        FEE_MISMATCH = "fee_mismatch"
        CURRENCY_MISMATCH = "currency_mismatch"
        FX_RATE_DEVIATION = "fx_rate_deviation"
        ROUNDING_DIFFERENCE = "rounding_difference"
        WRONG_SIGN = "wrong_sign"
        DUPLICATE_LINE = "duplicate_line"
        ORPHAN_LINE = "orphan_line"
        REFUND_NOT_IN_SETTLEMENT = "refund_not_in_settlement"
        DEPOSIT_SHORT = "deposit_short"
        DEPOSIT_OVER = "deposit_over"
        DEPOSIT_MISSING = "deposit_missing"
        DEPOSIT_DUPLICATE = "deposit_duplicate"
        PAYOUT_MISSING = "payout_missing"
        UNEXPLAINED_BANK_LINE = "unexplained_bank_line"
        UNPARSED_LINE = "unparsed_line"
        BALANCE_GAP = "balance_gap"

    class Status(models.TextChoices):
        OPEN = "OPEN"  # nobody explained it
        RESOLVED = "RESOLVED"  # evidence or a person ended it

    TRANSITIONS = {
        Status.OPEN: {Status.RESOLVED},
        Status.RESOLVED: {Status.OPEN},
    }

    public_id = models.CharField(max_length=40, unique=True, default=discrepancy_id, editable=False)
    key = models.CharField(
        max_length=200, unique=True, help_text="Type and subject: found again, it is the same one."
    )
    type = models.CharField(max_length=30, choices=Type)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="discrepancies")
    reference = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Money at stake, minor units.")
    expected = models.CharField(max_length=80, blank=True)
    actual = models.CharField(max_length=80, blank=True)
    since = models.DateField(help_text="Business day from which it is counted as open.")
    payment = models.ForeignKey(
        Payment, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    refund = models.ForeignKey(
        Refund, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    processor_payout = models.ForeignKey(
        ProcessorPayout, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    line = models.ForeignKey(
        StatementLine, null=True, on_delete=models.PROTECT, related_name="discrepancies"
    )
    opened_by = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="opened"
    )
    resolved_by = models.ForeignKey(
        ReconciliationRun, null=True, on_delete=models.PROTECT, related_name="resolved"
    )
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "discrepancies"
        indexes = [
            models.Index(fields=["type", "status"], name="reconciliation_disc_by_type"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "RESOLVED"]),
                name="reconciliation_disc_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="OPEN", resolved_at__isnull=True)
                | Q(status="RESOLVED", resolved_at__isnull=False),
                name="reconciliation_disc_resolved_at_iff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.reference}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
