"""What a file says about an account, and its lines."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from ledger.money import Money
from reconciliation.models.files import StatementFile
from reconciliation.models.sources import SourceAccount


class Statement(models.Model):
    """What one file says about one account: its days and, from banks, its balances."""

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="statements")
    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="statements"
    )
    number = models.PositiveIntegerField(default=1, help_text="Place in its file, from 1.")
    identifier = models.CharField(max_length=80, blank=True)
    sequence = models.CharField(max_length=40, blank=True, help_text="The bank's own numbering.")
    first_day = models.DateField()
    last_day = models.DateField()
    opening_balance = models.BigIntegerField(null=True, help_text="Minor units.")
    closing_balance = models.BigIntegerField(null=True, help_text="Minor units.")
    line_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(
        default=0, help_text="Lines earlier files had brought already."
    )
    net = models.BigIntegerField(default=0, help_text="Sum of the lines, minor units.")
    contradictions = models.JSONField(
        default=list, blank=True, help_text="Where it does not agree with itself: code and message."
    )

    class Meta:
        ordering = ["-last_day", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "number", "source_account"],
                name="reconciliation_statement_once_per_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_account} {self.last_day}"


class StatementLine(models.Model):
    """One line of a report or statement. `gross - fee = net`, signed as the account moves.

    Its identity is (account, line id or content hash, occurrence within its file): the same line in
    an overlapping file is the same line, the same line twice in one file is two.
    """

    class Kind(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"
        DISPUTE = "dispute"
        DISPUTE_REVERSAL = "dispute_reversal"
        FEE = "fee"
        PAYOUT = "payout"
        ADJUSTMENT = "adjustment"
        ENTRY = "entry"  # of a bank

    # The trigger reconciliation_lines_have_their_file proves both, all lines of a load in one pass.
    file = models.ForeignKey(
        StatementFile,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,
    )
    source_account = models.ForeignKey(
        SourceAccount,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,
    )
    line_no = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind)
    identity = models.CharField(max_length=120)
    occurrence = models.PositiveIntegerField()
    external_id = models.CharField(max_length=100, blank=True)
    booked_on = models.DateField()
    value_on = models.DateField()
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    presentment_amount = models.BigIntegerField(
        null=True, help_text="What the payer saw, minor units; empty: not reported."
    )
    presentment_currency = models.CharField(max_length=3, blank=True)
    reference = models.CharField(max_length=255, blank=True)
    parent_reference = models.CharField(max_length=255, blank=True)
    payout_id = models.CharField(max_length=100, blank=True)
    merchant = models.CharField(max_length=100, blank=True)
    counterparty = models.CharField(max_length=255, blank=True)
    text = models.TextField(blank=True)
    references = ArrayField(models.CharField(max_length=255), default=list)
    corrected_at = models.DateTimeField(
        null=True, help_text="When it came to be, if that was after its file was loaded."
    )
    is_booked = models.BooleanField(
        default=False, db_default=False, help_text="A payout or fee row whose entry is posted."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The lines of a file lie side by side: where they begin is all there is to know.
            BrinIndex(
                fields=["file"],
                name="reconciliation_line_by_file",
                autosummarize=True,
                pages_per_range=16,
            ),
            models.Index(fields=["reference"], name="reconciliation_line_reference"),
            models.Index(fields=["source_account", "booked_on"], name="reconciliation_line_by_day"),
            models.Index(
                fields=["id"],
                name="reconciliation_line_unbooked",
                condition=Q(is_booked=False, kind__in=["payout", "fee"]),
            ),
            # Few among many charges, and every run looks for them.
            models.Index(
                fields=["source_account"],
                name="reconciliation_line_no_charge",
                condition=Q(kind__in=["payout", "dispute", "dispute_reversal"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source_account", "identity", "occurrence"],
                name="reconciliation_line_loaded_once",
            ),
            models.CheckConstraint(
                condition=Q(net=models.F("gross") - models.F("fee")),
                name="reconciliation_line_net_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return f"stl_{self.pk}"

    @property
    def currency(self) -> str:
        return self.source_account.currency

    @property
    def net_money(self) -> Money:
        return Money(self.net, self.currency)
