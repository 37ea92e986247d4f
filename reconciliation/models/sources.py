"""Where statements come from, and which of our accounts they prove."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property

from ledger.models import Account
from payments.models import Gateway

if TYPE_CHECKING:
    from reconciliation.models.settings import MatchingTolerance


class Source(models.Model):
    """Somebody who reports to us: a processor about its clearing, or a bank about its accounts."""

    class Kind(models.TextChoices):
        PROCESSOR_REPORT = "processor_report"
        BANK_STATEMENT = "bank_statement"

    class OnBadLine(models.TextChoices):
        ATOMIC = "atomic"  # the file is refused
        QUARANTINE = "quarantine"  # the other lines are loaded; a person sees to this one

    code = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    formats = ArrayField(
        models.CharField(max_length=60), help_text="Formats it may send; recognised by content."
    )
    zone = models.CharField(
        max_length=64, default="UTC", help_text="IANA zone in which its days begin and end."
    )
    gateway = models.ForeignKey(
        Gateway, null=True, blank=True, on_delete=models.PROTECT, related_name="sources"
    )
    counterparties = ArrayField(
        models.CharField(max_length=120),
        default=list,
        blank=True,
        help_text="Names a processor's deposits carry on bank statements.",
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="What is particular to it, by format: a CSV mapping."
    )

    on_bad_line = models.CharField(
        max_length=10,
        choices=OnBadLine,
        blank=True,
        default="",
        help_text="Empty: atomic for a bank, quarantine for a processor.",
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="processor_report", gateway__isnull=False)
                | Q(kind="bank_statement", gateway__isnull=True),
                name="reconciliation_source_gateway_iff_processor",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_atomic(self) -> bool:
        """Whether one line that cannot be read refuses its whole file."""
        if self.on_bad_line:
            return self.on_bad_line == self.OnBadLine.ATOMIC
        return self.kind == self.Kind.BANK_STATEMENT

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def tolerance(self) -> "MatchingTolerance | None":
        """How far its reports may be off today, by the platform's calendar; read once."""
        today = timezone.localdate(timezone=settings.PLATFORM_ZONE)
        return self.tolerances.filter(valid_from__lte=today).first()

    @property
    def deposit_days(self) -> int:
        """Business days from a payout row to its bank deposit."""
        return self.tolerance.deposit_days if self.tolerance else 1

    @property
    def fx_tolerance_basis_points(self) -> int:
        """How far a conversion may be off the reference rate."""
        return self.tolerance.fx_tolerance_basis_points if self.tolerance else 0


class SourceAccount(models.Model):
    """One account a source reports on, in one currency, and the ledger account it proves."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="accounts")
    identifier = models.CharField(max_length=60, help_text="IBAN, or the processor's own name.")
    currency = models.CharField(max_length=3)
    ledger_account = models.OneToOneField(
        Account, on_delete=models.PROTECT, related_name="source_account"
    )
    opening_balance = models.BigIntegerField(
        null=True, help_text="Minor units; what was there before the first statement."
    )
    opening_on = models.DateField(null=True, help_text="First day of the first statement.")

    class Meta:
        ordering = ["source", "identifier", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "identifier", "currency"],
                name="reconciliation_sourceaccount_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.identifier} {self.currency}"
