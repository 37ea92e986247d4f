"""Runs, and what they found to belong together."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Dispute, Payment, Refund
from reconciliation.models.sources import SourceAccount
from reconciliation.models.statements import StatementLine
from settlements.models import Payout


def run_id() -> str:
    return new_id("run")


class ReconciliationRun(models.Model):
    """One run of the matching rules; what it found and from what, kept for ever."""

    class Trigger(models.TextChoices):
        FULL = "full"  # everything, and what is missing by its day
        ARRIVAL = "arrival"  # something came: what fits to it for certain
        PERSON = "person"  # somebody matched one pair, or took one apart

    public_id = models.CharField(max_length=40, unique=True, default=run_id, editable=False)
    trigger = models.CharField(
        max_length=7, choices=Trigger, default=Trigger.FULL, db_default=Trigger.FULL
    )
    as_of = models.DateField()
    source_code = models.CharField(max_length=40, blank=True, help_text="Empty: all sources.")
    rules = models.JSONField(help_text="Version of each rule that ran, in order.")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    posted_through = models.BigIntegerField(
        default=0, help_text="Id of the last match whose entries are in the ledger."
    )
    match_count = models.PositiveIntegerField(default=0)
    discrepancy_count = models.PositiveIntegerField(default=0)
    result_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.public_id


class ProcessorPayout(models.Model):
    """A payout row of a processor's report: money it says it sends to our bank."""

    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="processor_payouts"
    )
    line = models.OneToOneField(
        StatementLine, on_delete=models.PROTECT, related_name="processor_payout"
    )
    external_id = models.CharField(max_length=100, db_index=True)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units; not positive: no deposit is due.")
    due_on = models.DateField(help_text="Day the bank should book it.")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.external_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Match(models.Model):
    """A record of ours and the statement line that proves it, and by which rule.

    What matches use of a line never exceeds it. Triggers prove that, and what a match points at,
    all matches of a statement in one pass, so that no key has to be checked row by row; the unique
    keys leave out what is empty.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment"
        REFUND = "refund"
        DISPUTE = "dispute"
        WON_DISPUTE = "won_dispute"  # the money of a dispute came back
        DEPOSIT = "deposit"  # a processor's payout arrived at our bank
        PAYOUT = "payout"  # our payout left our bank

    run = models.ForeignKey(
        ReconciliationRun,
        on_delete=models.PROTECT,
        related_name="matches",
        db_index=False,
        db_constraint=False,
    )
    kind = models.CharField(max_length=11, choices=Kind)
    rule = models.CharField(max_length=60)
    rule_version = models.PositiveSmallIntegerField()
    evidence = models.JSONField(help_text="What the line said that the rule went by.")
    line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, related_name="matches", db_constraint=False
    )
    amount = models.BigIntegerField(help_text="Of the line's net, minor units, signed like it.")
    is_converted = models.BooleanField(
        db_default=False,
        help_text="The payment or refund is in another currency than the line's account.",
    )
    payment = models.OneToOneField(
        Payment, null=True, on_delete=models.PROTECT, related_name="match", db_constraint=False
    )
    refund = models.OneToOneField(
        Refund, null=True, on_delete=models.PROTECT, related_name="match", db_constraint=False
    )
    dispute = models.OneToOneField(
        Dispute, null=True, on_delete=models.PROTECT, related_name="match", db_constraint=False
    )
    won_dispute = models.OneToOneField(
        Dispute, null=True, on_delete=models.PROTECT, related_name="won_match", db_constraint=False
    )
    processor_payout = models.OneToOneField(
        ProcessorPayout,
        null=True,
        on_delete=models.PROTECT,
        related_name="match",
        db_constraint=False,
    )
    payout = models.OneToOneField(
        Payout, null=True, on_delete=models.PROTECT, related_name="match", db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "matches"
        indexes = [models.Index(fields=["run", "id"], name="reconciliation_match_by_run")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="payment", payment__isnull=False)
                | Q(kind="refund", refund__isnull=False)
                | Q(kind="dispute", dispute__isnull=False)
                | Q(kind="won_dispute", won_dispute__isnull=False)
                | Q(kind="deposit", processor_payout__isnull=False)
                | Q(kind="payout", payout__isnull=False),
                name="reconciliation_match_about_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.rule}"

    @property
    def public_id(self) -> str:
        return f"match_{self.pk}"

    @property
    def subject(self) -> Payment | Refund | Dispute | ProcessorPayout | Payout:
        """Our record of its kind."""
        of_kind = {
            self.Kind.PAYMENT: self.payment,
            self.Kind.REFUND: self.refund,
            self.Kind.DISPUTE: self.dispute,
            self.Kind.WON_DISPUTE: self.won_dispute,
            self.Kind.DEPOSIT: self.processor_payout,
            self.Kind.PAYOUT: self.payout,
        }
        subject = of_kind[self.Kind(self.kind)]
        assert subject is not None  # by constraint
        return subject


class UndoneMatch(models.Model):
    """A match that a person undid. The same rule, or another one, does not make it again."""

    kind = models.CharField(max_length=11, choices=Match.Kind)
    subject_id = models.BigIntegerField(help_text="Of the payment, refund, … that was matched.")
    line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="undone_matches")
    amount = models.BigIntegerField(help_text="Of the line's net, minor units.")
    rule = models.CharField(max_length=60)
    rule_version = models.PositiveSmallIntegerField()
    evidence = models.JSONField()
    matched_at = models.DateTimeField()
    match_number = models.BigIntegerField(
        null=True, help_text="Id that the match had; empty: undone before that was kept."
    )
    fee_group = models.ForeignKey(
        "reconciliation.FeeGroup",
        null=True,
        on_delete=models.PROTECT,
        related_name="undone_matches",
        help_text="Whose entry has the line's fee; an entry of its own took it back.",
    )
    undone_by = models.CharField(max_length=120)
    reason = models.CharField(max_length=500)
    undone_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "undone matches"
        indexes = [
            models.Index(
                fields=["line", "kind", "subject_id"], name="reconciliation_undone_by_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} and {self.line_id}"
