"""Accounts, what is on them, and the chart they belong to."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.entries import DEBIT_NORMAL, AccountRef, AccountType, Direction
from ledger.ids import new_id
from ledger.money import Money


def account_id() -> str:
    return new_id("acct")


class AccountGroup(models.Model):
    """A part of the chart: accounts whose code starts so, and the type all of them have."""

    prefix = models.CharField(max_length=80, unique=True, help_text="e.g. clearing:")
    name = models.CharField(max_length=120, blank=True)
    type = models.CharField(
        max_length=9, choices=[(kind.value, kind.value) for kind in AccountType]
    )

    class Meta:
        ordering = ["prefix"]
        constraints = [
            models.CheckConstraint(
                condition=Q(type__in=[kind.value for kind in AccountType]),
                name="ledger_accountgroup_type_known",
            ),
        ]

    def __str__(self) -> str:
        return self.prefix


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
    is_frozen = models.BooleanField(
        default=False, db_default=False, help_text="Nothing may be posted to it until it is thawed."
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
    """Running totals of one account, in minor units: debits and credits only ever grow.

    The balance is their difference. Pending totals are what open holds may still take: pending
    debits of an account that grows by credits, pending credits of one that grows by debits.
    """

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.PROTECT, related_name="balance"
    )
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    pending_debits = models.BigIntegerField(default=0, db_default=0)
    pending_credits = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(debits__gte=0, credits__gte=0), name="ledger_balance_totals_positive"
            ),
            models.CheckConstraint(
                condition=Q(pending_debits__gte=0, pending_credits__gte=0),
                name="ledger_balance_pending_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.money}"

    @property
    def money(self) -> Money:
        """The balance by the account's normal side."""
        sign = 1 if self.account.normal_side == Direction.DEBIT else -1
        return Money(sign * (self.debits - self.credits), self.account.currency)

    @property
    def pending_money(self) -> Money:
        """What open holds may still take from it."""
        is_debit_normal = self.account.normal_side == Direction.DEBIT
        pending = self.pending_credits if is_debit_normal else self.pending_debits
        return Money(pending, self.account.currency)

    @property
    def available_money(self) -> Money:
        """What may still be spent: the balance less what is held."""
        return self.money - self.pending_money


class DayTotal(models.Model):
    """What sealed postings moved on one account, by the day of their effect and of their posting.

    Days are UTC. Derived from the postings when their block is sealed, so that a balance at any
    instant is a sum of days and at most a few postings; verify_ledger proves it.
    """

    pk = models.CompositePrimaryKey("account_id", "effective_on", "posted_on")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="day_totals", db_index=False
    )
    effective_on = models.DateField()
    posted_on = models.DateField()
    debits = models.BigIntegerField()
    credits = models.BigIntegerField()
    first_entry_id = models.BigIntegerField(help_text="The lowest entry id in it.")
    last_entry_id = models.BigIntegerField(help_text="The highest entry id in it.")

    class Meta:
        ordering = ["account_id", "effective_on", "posted_on"]
        # For all accounts at once: the days of one month, found without walking through the others.
        indexes = [
            models.Index(fields=["effective_on", "posted_on"], name="ledger_daytotal_by_day")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.effective_on}"


class MonthTotal(models.Model):
    """The day totals of one account, added up by the month of their effect and of their posting.

    Months are their first days. What all accounts come to at any instant is a sum of months and of
    the days of at most two; verify_ledger proves it.
    """

    pk = models.CompositePrimaryKey("account_id", "effective_month", "posted_month")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="month_totals", db_index=False
    )
    effective_month = models.DateField()
    posted_month = models.DateField()
    debits = models.BigIntegerField()
    credits = models.BigIntegerField()

    class Meta:
        ordering = ["account_id", "effective_month", "posted_month"]

    def __str__(self) -> str:
        return f"{self.account_id} {self.effective_month}"
