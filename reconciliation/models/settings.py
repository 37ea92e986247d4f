"""What people set about sources: each change a row of its own, and none is ever changed."""

from django.db import models
from django.db.models.functions import Now

from reconciliation.models.sources import Source


class MatchingTolerance(models.Model):
    """How far reports of a source may be off, from a day on; the newest row of the newest day
    counts. The database refuses to change or delete one.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="tolerances")
    valid_from = models.DateField(help_text="Runs of this day and later use it.")
    fx_tolerance_basis_points = models.PositiveIntegerField(
        default=0, help_text="How far a conversion may be off the reference rate."
    )
    deposit_days = models.PositiveSmallIntegerField(
        default=1,
        help_text="Business days from a payout row, or of a bank: from the day our payout is to"
        " leave, to the bank's entry.",
    )
    set_by = models.CharField(max_length=120)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["source", "-valid_from", "-id"]
        permissions = [
            ("request_matchingtolerance", "Can ask for another tolerance of matching"),
            ("approve_matchingtolerance", "Can approve tolerances that somebody else asked for"),
            ("refuse_matchingtolerance", "Can refuse tolerances"),
            ("withdraw_matchingtolerance", "Can withdraw tolerances that wait"),
        ]
        indexes = [
            models.Index(
                fields=["source", "-valid_from", "-id"], name="reconciliation_tolerance_now"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} from {self.valid_from}"


class SourceVersion(models.Model):
    """A source as it was set by somebody; the newest one is the source as it is.

    The database refuses to change or delete one.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(help_text="From 1.")
    terms = models.JSONField(help_text="The fields of the source.")
    set_by = models.CharField(max_length=120)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["source", "-number"]
        permissions = [("define_source", "Can change how a source's files are read")]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "number"], name="reconciliation_sourceversion_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} version {self.number}"
