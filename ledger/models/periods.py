"""Stretches of time the books are kept open for."""

from datetime import datetime, timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now

# The database tells instants apart by this much.
INSTANT = timedelta(microseconds=1)


class AccountingPeriod(models.Model):
    """A stretch of time, usually a month, whose books are closed together.

    Periods are closed in order and opened again in reverse order, so everything before the end of
    the last closed one is closed; `ledger/migrations/sql/entries.sql` has the trigger that refuses
    entries effective there.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN"  # entries may take effect in it
        CLOSED = "CLOSED"  # no entries any more; a second person may let it be opened again
        LOCKED = "LOCKED"  # closed for good

    TRANSITIONS = {
        Status.OPEN: {Status.CLOSED},
        Status.CLOSED: {Status.OPEN, Status.LOCKED},
        Status.LOCKED: set(),
    }

    code = models.CharField(max_length=20, unique=True, help_text="e.g. 2026-10")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="The first moment after it.")
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    closed_by = models.CharField(max_length=120, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_pack = models.JSONField(
        default=dict, blank=True, help_text="What the books said when it was last closed."
    )
    reopening_requested_by = models.CharField(max_length=120, blank=True)
    reopening_approved_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-starts_at"]
        permissions = [
            ("close_accountingperiod", "Can close accounting periods"),
            ("lock_accountingperiod", "Can lock accounting periods"),
            ("request_reopening", "Can ask for an accounting period to be opened again"),
            ("approve_reopening", "Can open an accounting period again on request"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="ledger_period_has_length"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "CLOSED", "LOCKED"]),
                name="ledger_period_status_known",
            ),
            models.CheckConstraint(
                condition=Q(reopening_approved_by="")
                | ~Q(reopening_approved_by=F("reopening_requested_by")),
                name="ledger_period_four_eyes",
            ),
            ExclusionConstraint(
                name="ledger_period_no_overlap",
                expressions=[
                    (
                        Func(
                            F("starts_at"),
                            F("ends_at"),
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    )
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def last_moment(self) -> datetime:
        return self.ends_at - INSTANT
