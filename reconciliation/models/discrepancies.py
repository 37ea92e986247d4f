"""What does not tie out."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Dispute, Payment, Refund
from reconciliation.models.matches import ProcessorPayout, ReconciliationRun
from reconciliation.models.sources import Source
from reconciliation.models.statements import StatementLine
from settlements.models import Payout

# Few discrepancies have them: the indexes leave the others out.
KEYS_MOSTLY_EMPTY = (
    *("refund", "dispute", "processor_payout", "payout", "line", "owner", "resolved_by"),
)


def discrepancy_id() -> str:
    return new_id("disc")


class Discrepancy(models.Model):
    """One difference between our books and a statement, open until somebody or evidence ends it."""

    class Type(models.TextChoices):
        MISSING_SETTLEMENT = "missing_settlement"
        SETTLEMENT_PENDING = "settlement_pending"
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
        DISPUTE_NOT_IN_SETTLEMENT = "dispute_not_in_settlement"
        DEPOSIT_SHORT = "deposit_short"
        DEPOSIT_OVER = "deposit_over"
        DEPOSIT_MISSING = "deposit_missing"
        DEPOSIT_DUPLICATE = "deposit_duplicate"
        PAYOUT_MISSING = "payout_missing"
        PAYOUT_RETURNED = "payout_returned"
        UNEXPLAINED_BANK_LINE = "unexplained_bank_line"
        UNPARSED_LINE = "unparsed_line"
        BALANCE_GAP = "balance_gap"

    class Status(models.TextChoices):
        OPEN = "OPEN"  # nobody explained it
        INVESTIGATING = "INVESTIGATING"  # somebody is at it
        RESOLVED = "RESOLVED"  # evidence or a person ended it; nothing was posted for it
        WRITE_OFF_REQUESTED = "WRITE_OFF_REQUESTED"  # an entry waits for a second person
        WRITTEN_OFF = "WRITTEN_OFF"  # that entry is in the ledger

    TRANSITIONS = {
        Status.OPEN: {Status.INVESTIGATING, Status.RESOLVED, Status.WRITE_OFF_REQUESTED},
        Status.INVESTIGATING: {Status.OPEN, Status.RESOLVED, Status.WRITE_OFF_REQUESTED},
        Status.RESOLVED: {Status.OPEN},
        Status.WRITE_OFF_REQUESTED: {Status.OPEN, Status.INVESTIGATING, Status.WRITTEN_OFF},
        Status.WRITTEN_OFF: {Status.OPEN},
    }
    # What still has to be worked; the others are over.
    UNSETTLED = (Status.OPEN, Status.INVESTIGATING, Status.WRITE_OFF_REQUESTED)

    public_id = models.CharField(max_length=40, default=discrepancy_id, editable=False)
    key = models.CharField(
        max_length=200, help_text="Type and subject: found again, it is the same one."
    )
    type = models.CharField(max_length=30, choices=Type)
    status = models.CharField(max_length=19, choices=Status, default=Status.OPEN)
    # Triggers prove keys without a constraint, all that a statement writes in one pass.
    source = models.ForeignKey(
        Source,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
        db_constraint=False,
    )
    reference = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Money at stake, minor units.")
    expected = models.CharField(max_length=80, blank=True)
    actual = models.CharField(max_length=80, blank=True)
    since = models.DateField(help_text="Business day from which it is counted as open.")
    payment = models.ForeignKey(
        Payment,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_constraint=False,
    )
    refund = models.ForeignKey(
        Refund,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
        db_constraint=False,
    )
    dispute = models.ForeignKey(
        Dispute,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
    )
    processor_payout = models.ForeignKey(
        ProcessorPayout,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
    )
    payout = models.ForeignKey(
        Payout,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
    )
    line = models.ForeignKey(
        StatementLine,
        null=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
        db_constraint=False,
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="discrepancies",
        db_index=False,
    )
    reason_code = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="Why it was ended."
    )
    resolution = models.CharField(
        max_length=500, blank=True, default="", db_default="", help_text="In a person's words."
    )
    ended_by = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="The person who ended it; empty: evidence did.",
    )
    opened_by = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="opened", db_constraint=False
    )
    resolved_by = models.ForeignKey(
        ReconciliationRun,
        null=True,
        on_delete=models.PROTECT,
        related_name="resolved",
        db_index=False,
        db_constraint=False,
    )
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "discrepancies"
        permissions = [
            ("assign_discrepancy", "Can say who sees to a discrepancy"),
            ("resolve_discrepancy", "Can end a discrepancy without an entry"),
            ("reopen_discrepancy", "Can open a discrepancy again"),
        ]
        indexes = [
            models.Index(fields=["type", "status"], name="reconciliation_disc_by_type"),
            models.Index(
                fields=["source", "since"],
                name="reconciliation_disc_unsettled",
                condition=Q(resolved_at__isnull=True),
            ),
            *(
                models.Index(
                    fields=[name],
                    name=f"reconciliation_disc_{name[:8]}",
                    condition=Q(**{f"{name}__isnull": False}),
                )
                for name in KEYS_MOSTLY_EMPTY
            ),
        ]
        constraints = [
            # Not `unique=True`, which would keep an index for LIKE beside each.
            models.UniqueConstraint(
                fields=["public_id"], name="reconciliation_discrepancy_public_id_key"
            ),
            models.UniqueConstraint(fields=["key"], name="reconciliation_discrepancy_key_key"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "OPEN",
                        "INVESTIGATING",
                        "RESOLVED",
                        "WRITE_OFF_REQUESTED",
                        "WRITTEN_OFF",
                    ]
                ),
                name="reconciliation_disc_status_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["OPEN", "INVESTIGATING", "WRITE_OFF_REQUESTED"],
                    resolved_at__isnull=True,
                )
                | Q(status__in=["RESOLVED", "WRITTEN_OFF"], resolved_at__isnull=False),
                name="reconciliation_disc_resolved_at_iff",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.reference}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class DiscrepancyNote(models.Model):
    """What somebody found out or wants others to know. Never changed."""

    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="notes")
    author = models.CharField(max_length=120)
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"
