"""What the last tie-out of an account came to."""

from django.db import models
from django.db.models import Q

from reconciliation.models.sources import SourceAccount


class AccountProof(models.Model):
    """Kept by each full run, so that nobody who looks has to wait for a tie-out.

    Amounts are minor units of the account's currency. The report of the day, as known at the
    moment, says the same whenever it is opened.
    """

    source_account = models.OneToOneField(
        SourceAccount, on_delete=models.PROTECT, related_name="proof"
    )
    day = models.DateField()
    known_at = models.DateTimeField()
    book = models.BigIntegerField()
    statement = models.BigIntegerField()
    explained = models.BigIntegerField(help_text="By open items.")
    open_items = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(open_items__gt=0) | Q(explained=0),
                name="reconciliation_accountproof_items_explain",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_account} {self.day}"

    @property
    def difference(self) -> int:
        """What no open item explains; anything but zero means the proof failed."""
        return self.book - self.statement - self.explained
