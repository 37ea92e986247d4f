"""The processor's fees of many matches, which one journal entry carries."""

from django.db import models
from django.db.models import F, Q

from ledger.ids import new_id
from ledger.money import Money
from reconciliation.models.matches import ReconciliationRun
from reconciliation.models.sources import SourceAccount


def fee_group_id() -> str:
    return new_id("fees")


class FeeGroup(models.Model):
    """What a run posted as one entry instead of one for each match; its id is the reference.

    In it are the matches of the run from `first_match` to `last_match` whose line has a fee, is of
    the account and booked on the day; of those that a person undid since, the UndoneMatch says so.
    """

    public_id = models.CharField(max_length=40, unique=True, default=fee_group_id, editable=False)
    run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="fee_groups", db_index=False
    )
    source_account = models.ForeignKey(
        SourceAccount, on_delete=models.PROTECT, related_name="fee_groups"
    )
    booked_on = models.DateField()
    first_match = models.BigIntegerField(help_text="Id; the match may be undone by now.")
    last_match = models.BigIntegerField()
    match_count = models.PositiveIntegerField(help_text="As it was posted.")
    charged = models.BigIntegerField(help_text="Minor units, as it was posted.")
    given_back = models.BigIntegerField(help_text="Sum of the negative fees, as a positive amount.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "source_account", "booked_on", "last_match"],
                name="reconciliation_feegroup_once",
            ),
            models.CheckConstraint(
                condition=Q(first_match__lte=F("last_match"), match_count__gt=0),
                name="reconciliation_feegroup_of_matches",
            ),
            models.CheckConstraint(
                condition=Q(charged__gte=0, given_back__gte=0)
                & (Q(charged__gt=0) | Q(given_back__gt=0)),
                name="reconciliation_feegroup_of_amounts",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        """What the processor kept in all; negative: it gave back more."""
        return Money(self.charged - self.given_back, self.source_account.currency)
