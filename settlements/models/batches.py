"""What merchants earned per business day."""

from typing import Any

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Dispute, Merchant, Payment, Refund
from settlements.models.adjustments import Adjustment, ReserveHold


def batch_id() -> str:
    return new_id("sb")


class SettlementBatch(models.Model):
    """What one merchant earned in one currency up to the end of one business day.

    `net` is what this batch's lines add up to; with what earlier batches carried it is paid out,
    or, when that is not positive, carried again. Amounts are minor units.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN"  # lines may still join
        CLOSED = "CLOSED"  # frozen; a positive amount is due to the merchant
        PAID = "PAID"  # it reached the merchant's bank
        # Its payout was refused, came back or was canceled, and no other one is approved since.
        FAILED = "FAILED"

    TRANSITIONS = {
        Status.OPEN: {Status.CLOSED},
        Status.CLOSED: {Status.PAID, Status.FAILED},
        Status.PAID: {Status.FAILED, Status.CLOSED},
        Status.FAILED: {Status.CLOSED},
    }

    public_id = models.CharField(max_length=40, unique=True, default=batch_id, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="batches")
    currency = models.CharField(max_length=3)
    period = models.DateField(help_text="The business day, in the merchant's zone.")
    status = models.CharField(max_length=6, choices=Status, default=Status.OPEN)
    line_count = models.PositiveIntegerField(default=0)
    gross = models.BigIntegerField(default=0)
    fee = models.BigIntegerField(default=0)
    net = models.BigIntegerField(default=0)
    carried_in = models.BigIntegerField(default=0, help_text="Left over by the batch before.")
    payout_amount = models.BigIntegerField(default=0, help_text="0: all is carried forward.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-period", "merchant", "currency"]
        verbose_name_plural = "settlement batches"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "currency", "period"], name="settlements_batch_once_per_period"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "CLOSED", "PAID", "FAILED"]),
                name="settlements_batch_status_known",
            ),
            models.CheckConstraint(
                condition=Q(net=F("gross") - F("fee")), name="settlements_batch_net_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(payout_amount=0) | Q(payout_amount=F("net") + F("carried_in")),
                name="settlements_batch_pays_all_or_nothing",
            ),
            models.CheckConstraint(
                condition=Q(payout_amount__gte=0), name="settlements_batch_pays_forward"
            ),
        ]
        indexes = [
            models.Index(
                fields=["status", "currency"],
                name="settlements_batch_on_its_way",
                condition=Q(status__in=["OPEN", "FAILED"]),
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def payout_money(self) -> Money:
        return Money(self.payout_amount, self.currency)

    @property
    def latest_payout(self) -> Any:
        """The payout that was made last for it: the others came to nothing. None: it has none."""
        return max(self.payouts.all(), key=lambda payout: payout.pk, default=None)

    @property
    def carried_out(self) -> int:
        """What the next batch starts with, minor units."""
        return self.net + self.carried_in - self.payout_amount


_SUBJECTS = (
    "payment",
    "refund",
    "dispute",
    "won_dispute",
    "reserve_held",
    "reserve_released",
    "adjustment",
    "canceled_payout",
)


def _about_one_thing() -> Exact:
    subjects = [F(name) for name in _SUBJECTS]
    return Exact(Func(*subjects, function="num_nonnulls", output_field=models.IntegerField()), 1)


class Settlement(models.Model):
    """One thing in its batch; each is in exactly one. Minor units, signed as the merchant gains.

    A dispute is in one when it is opened, and in another one when it was won after that. Lines are
    written with their batch and never again: a trigger proves what they are about and that they add
    up to it, in one pass, so that no key has to be checked row by row.
    """

    batch = models.ForeignKey(
        SettlementBatch, on_delete=models.PROTECT, related_name="lines", db_constraint=False
    )
    payment = models.OneToOneField(
        Payment,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement",
        db_constraint=False,
    )
    refund = models.OneToOneField(
        Refund,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement",
        db_constraint=False,
    )
    dispute = models.OneToOneField(
        Dispute,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement",
        db_constraint=False,
    )
    won_dispute = models.OneToOneField(
        Dispute,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement_of_win",
        db_constraint=False,
    )
    reserve_held = models.OneToOneField(
        ReserveHold,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement_when_held",
        db_constraint=False,
    )
    reserve_released = models.OneToOneField(
        ReserveHold,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement_when_released",
        db_constraint=False,
    )
    adjustment = models.OneToOneField(
        Adjustment,
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement",
        db_constraint=False,
    )
    canceled_payout = models.OneToOneField(
        "settlements.Payout",
        null=True,
        on_delete=models.PROTECT,
        related_name="settlement_when_canceled",
        db_constraint=False,
    )
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(net=F("gross") - F("fee")), name="settlements_line_net_adds_up"
            ),
            models.CheckConstraint(
                condition=_about_one_thing(), name="settlements_line_about_one_thing"
            ),
        ]

    def __str__(self) -> str:
        return str(next(subject for name in _SUBJECTS if (subject := getattr(self, name))))

    @property
    def kind(self) -> str:
        """What it is about: the name of the one field that says so."""
        return next(name for name in _SUBJECTS if getattr(self, f"{name}_id") is not None)
