"""Files as they arrived, and the lines read from them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from reconciliation.models.sources import Source, SourceAccount


def statement_id() -> str:
    return new_id("st")


class StatementFile(models.Model):
    """A file as it arrived, byte for byte. The same bytes from one source are loaded once."""

    public_id = models.CharField(max_length=40, unique=True, default=statement_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=255, help_text="As given; never used as a path.")
    format = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    content = models.BinaryField(editable=False)
    loaded_by = models.CharField(max_length=120)
    loaded_at = models.DateTimeField(db_default=Now())
    line_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(
        default=0, help_text="Lines earlier files had brought already."
    )
    rejected_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "sha256"], name="reconciliation_file_loaded_once"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Statement(models.Model):
    """What one file says about one account: its days and, from banks, its balances."""

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="statements")
    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="statements"
    )
    identifier = models.CharField(max_length=80, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    opening_balance = models.BigIntegerField(null=True, help_text="Minor units.")
    closing_balance = models.BigIntegerField(null=True, help_text="Minor units.")
    line_count = models.PositiveIntegerField(default=0)
    net = models.BigIntegerField(default=0, help_text="Sum of the lines, minor units.")

    class Meta:
        ordering = ["-last_day", "-id"]

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

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="lines")
    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="lines", db_index=False
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
    is_booked = models.BooleanField(
        default=False, db_default=False, help_text="A payout or fee row whose entry is posted."
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["reference"], name="reconciliation_line_reference"),
            models.Index(fields=["source_account", "booked_on"], name="reconciliation_line_by_day"),
            models.Index(
                fields=["id"],
                name="reconciliation_line_unbooked",
                condition=Q(is_booked=False, kind__in=["payout", "fee"]),
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


class RejectedLine(models.Model):
    """A line that could not be read; kept with its number and the reason, never dropped."""

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="rejected")
    line_no = models.PositiveIntegerField()
    reason = models.CharField(max_length=255)
    raw = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.file}:{self.line_no}"
