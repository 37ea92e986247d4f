"""Accounts, their balances, and the append-only journal."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.entries import DEBIT_NORMAL, AccountRef, AccountType, Direction
from ledger.ids import new_id
from ledger.money import Money


def account_id() -> str:
    return new_id("acct")


def journal_entry_id() -> str:
    return new_id("je")


class Account(models.Model):
    """A place value sits, in one currency. Never deleted; its balance is a row of its own."""

    public_id = models.CharField(max_length=40, unique=True, default=account_id, editable=False)
    owner = models.CharField(max_length=40, blank=True, help_text="Who it belongs to; empty: us.")
    code = models.CharField(max_length=120, help_text="Unique per owner, e.g. clearing:spay:EUR.")
    name = models.CharField(max_length=120, blank=True)
    type = models.CharField(
        max_length=9, choices=[(kind.value, kind.value) for kind in AccountType]
    )
    currency = models.CharField(max_length=3)
    floor = models.BigIntegerField(
        null=True, blank=True, help_text="Lowest balance allowed, minor units; empty: no limit."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["owner", "code"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "code"], name="ledger_account_code_unique"),
            models.CheckConstraint(
                condition=Q(type__in=[kind.value for kind in AccountType]),
                name="ledger_account_type_known",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def ref(self) -> AccountRef:
        return AccountRef(self.code, AccountType(self.type), self.currency, self.owner, self.floor)

    @property
    def normal_side(self) -> Direction:
        """The direction that increases this account."""
        return Direction.DEBIT if self.type in DEBIT_NORMAL else Direction.CREDIT


class AccountBalance(models.Model):
    """Running totals of one account: only ever growing; the balance is their difference."""

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.PROTECT, related_name="balance"
    )
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(debits__gte=0, credits__gte=0), name="ledger_balance_totals_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.money}"

    @property
    def money(self) -> Money:
        """The balance by the account's normal side."""
        sign = 1 if self.account.normal_side == Direction.DEBIT else -1
        return Money(sign * (self.debits - self.credits), self.account.currency)


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
    posted_at = models.DateTimeField(db_default=Now(), help_text="When it was written here.")
    reverses = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reversed_by",
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
            models.CheckConstraint(
                condition=Q(posting_count__gte=2), name="ledger_entry_two_postings"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


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
    balance_after = models.BigIntegerField(help_text="Of the account, by its normal side.")

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


class AuditEvent(models.Model):
    """Who did what to what, and why. The database refuses to change or delete it."""

    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80)
    actor_label = models.CharField(max_length=120)
    action = models.CharField(max_length=60, help_text="noun.verb_past, e.g. payout.approved")
    subject = models.CharField(max_length=80, help_text="Public id of what it was done to.")
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject"], name="ledger_auditevent_by_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
