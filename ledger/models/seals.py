"""Seals: blocks of records that nobody can change unseen, each with the hash of the one before."""

from django.db import models
from django.db.models.functions import Now


class ChainedSeal(models.Model):
    """A block of records up to `last_entry_id`, hash-chained. Append-only.

    `ledger/proof.py` says how the hashes are made.
    """

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … without gaps.")
    first_entry_id = models.BigIntegerField()
    last_entry_id = models.BigIntegerField(unique=True)
    entry_count = models.PositiveIntegerField()
    merkle_root = models.BinaryField()
    leaf_marks = models.BinaryField(
        help_text="The first 8 bytes of each entry's hash: says which one a wrong root is due to."
    )
    previous_hash = models.BinaryField(help_text="Hash of the seal before; zeros for the first.")
    hash = models.BinaryField()
    horizon = models.DateTimeField(
        help_text="Entries sealed later were all posted after this moment."
    )
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.number}"


class Seal(ChainedSeal):
    """A block of the journal."""


class AuditSeal(ChainedSeal):
    """A block of the audit trail; its entries are audit events."""
