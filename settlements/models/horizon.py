"""Up to where nothing is left to settle."""

from django.db import models
from django.db.models import F, Q


class SettlementHorizon(models.Model):
    """The payments that no run needs to look at again, by their ids. There is one row."""

    through = models.BigIntegerField(
        default=0, help_text="Up to this one, each is in a batch or will never be in one."
    )
    seen = models.BigIntegerField(help_text="The newest one there was then.")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="settlements_horizon_is_one"),
            models.CheckConstraint(
                condition=Q(through__lte=F("seen")), name="settlements_horizon_was_seen"
            ),
        ]

    def __str__(self) -> str:
        return str(self.through)
