"""The tables of an ordinary Django ledger, and of one that lives in a PL/pgSQL function.

Both are what one would write first: a balance per account, a unique key per entry, two postings
that point at both with enforced foreign keys.
"""

# ruff: noqa: DJ008 -- nobody looks at these rows
from django.db import models
from django.db.models.functions import Now


class Account(models.Model):
    """An account and what is on it, in minor units; never under `floor`, if it has one."""

    currency = models.CharField(max_length=3)
    balance = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class Entry(models.Model):
    """One transfer; its key makes sending it twice harmless."""

    idempotency_key = models.CharField(max_length=200, unique=True)
    reference = models.CharField(max_length=80, db_index=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Posting(models.Model):
    """One side of a transfer: positive into the account, negative out of it."""

    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()

    class Meta:
        abstract = True


class PlainAccount(Account):
    pass


class PlainEntry(Entry):
    pass


class PlainPosting(Posting):
    entry = models.ForeignKey(PlainEntry, on_delete=models.PROTECT)
    account = models.ForeignKey(PlainAccount, on_delete=models.PROTECT)


class FunctionAccount(Account):
    pass


class FunctionEntry(Entry):
    pass


class FunctionPosting(Posting):
    pk = models.CompositePrimaryKey("entry_id", "position")
    entry = models.ForeignKey(FunctionEntry, on_delete=models.PROTECT, db_index=False)
    position = models.PositiveSmallIntegerField()
    account = models.ForeignKey(FunctionAccount, on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["account", "entry"], name="bench_posting_by_account")]
