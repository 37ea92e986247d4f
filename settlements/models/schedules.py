"""When merchants are settled."""

from datetime import time
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from payments.models import Merchant


class SettlementSchedule(models.Model):
    """How a merchant is settled from a business day on. A change is a new row; none is edited."""

    class Interval(models.TextChoices):
        DAILY = "daily"
        WEEKLY = "weekly"  # on `weekdays`
        MONTHLY = "monthly"  # on `month_days`; one the month does not have is its last

    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="settlement_schedules"
    )
    valid_from = models.DateField()
    zone = models.CharField(max_length=64, default="UTC", help_text="IANA zone of its days.")
    cut_off = models.TimeField(
        default=time(0), help_text="Wall time at which a business day ends; 00:00: at midnight."
    )
    interval = models.CharField(max_length=7, choices=Interval, default=Interval.DAILY)
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, help_text="ISO: Monday is 1."
    )
    month_days = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    holidays = models.CharField(
        max_length=10, blank=True, help_text='Of a country or a part of it: "DE", "DE-BE", "US".'
    )
    delay_days = models.PositiveSmallIntegerField(
        default=0, help_text="Business days from a payment to the batch that contains it (T+n)."
    )
    minimum_payouts = models.JSONField(
        default=dict, blank=True, help_text="Minor units by currency; less than that is carried."
    )
    reserve_basis_points = models.PositiveSmallIntegerField(default=0)
    reserve_days = models.PositiveSmallIntegerField(
        default=0, help_text="Calendar days for which the reserve is kept back."
    )
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["merchant", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "valid_from"], name="settlements_schedule_one_per_day"
            ),
            models.CheckConstraint(
                condition=Q(interval="daily", weekdays=[], month_days=[])
                | (Q(interval="weekly", month_days=[]) & ~Q(weekdays=[]))
                | (Q(interval="monthly", weekdays=[]) & ~Q(month_days=[])),
                name="settlements_schedule_days_of_its_interval",
            ),
            models.CheckConstraint(
                condition=Q(reserve_basis_points=0, reserve_days=0)
                | Q(reserve_basis_points__range=(1, 10_000), reserve_days__gt=0),
                name="settlements_schedule_reserve_has_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} from {self.valid_from}"

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)
