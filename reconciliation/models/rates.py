"""Reference exchange rates."""

from django.db import models
from django.db.models import Q


class FxRate(models.Model):
    """On `date`, one unit of `base` was worth `rate` units of `quote` (major units)."""

    date = models.DateField()
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        ordering = ["-date", "base", "quote"]
        constraints = [
            models.UniqueConstraint(
                fields=["base", "quote", "date"], name="reconciliation_fxrate_one_per_day"
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="reconciliation_fxrate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate} on {self.date}"
