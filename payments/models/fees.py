"""What we charge merchants."""

from django.db import models
from django.db.models import F, Q

from ledger.money import Money
from payments.models.merchants import Merchant


class FeePlan(models.Model):
    """Our prices from a day on, for one currency and one method or any.

    A new price is a new row: the database refuses to change one, and to delete one that has begun.
    docs/settlement.md has the rules with examples. Amounts are minor units.
    """

    class RefundPolicy(models.TextChoices):
        NONE = "none"  # our fee stays ours
        PROPORTIONAL = (
            "proportional"  # the part of it that its payment's refunds are of the payment
        )
        FULL = "full"  # all of it, with the refund that completes the payment; nothing before

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="fee_plans")
    currency = models.CharField(max_length=3)
    method = models.CharField(
        max_length=40, blank=True, help_text='How the payer pays: "visa". Empty: any other way.'
    )
    valid_from = models.DateField()
    basis_points = models.PositiveIntegerField(help_text="Hundredths of a per cent of the amount.")
    fixed = models.PositiveIntegerField(default=0, help_text="Plus this, in minor units.")
    minimum = models.PositiveBigIntegerField(default=0, help_text="At least this, in minor units.")
    maximum = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="At most this, in minor units; empty: no limit."
    )
    refund_policy = models.CharField(
        max_length=12,
        choices=RefundPolicy,
        default=RefundPolicy.NONE,
        help_text="What of the fee is given back when a payment is refunded.",
    )
    dispute_fee = models.PositiveBigIntegerField(
        default=0, help_text="When a payment is disputed, in minor units; kept whoever wins."
    )

    set_by = models.CharField(max_length=120, blank=True, default="", db_default="")
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        ordering = ["merchant", "currency", "method", "valid_from"]
        permissions = [
            ("request_feeplan", "Can ask for other prices of a merchant"),
            ("approve_feeplan", "Can approve prices that somebody else asked for"),
            ("refuse_feeplan", "Can refuse prices"),
            ("withdraw_feeplan", "Can withdraw prices that wait"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "currency", "method", "valid_from"],
                name="payments_feeplan_one_per_day",
            ),
            models.CheckConstraint(
                condition=Q(basis_points__lte=10_000), name="payments_feeplan_at_most_all"
            ),
            models.CheckConstraint(
                condition=Q(maximum__isnull=True) | Q(minimum__lte=F("maximum")),
                name="payments_feeplan_minimum_within_maximum",
            ),
            models.CheckConstraint(
                condition=Q(refund_policy__in=["none", "proportional", "full"]),
                name="payments_feeplan_refund_policy_known",
            ),
        ]

    def __str__(self) -> str:
        method = f" {self.method}" if self.method else ""
        return f"{self.merchant} {self.currency}{method} from {self.valid_from}"

    def fee_for(self, money: Money) -> Money:
        """Basis points rounded half up, plus the fixed part, within minimum and maximum.

        Never more than the amount: a payment alone never costs its merchant money.
        """
        fee = money.basis_points(self.basis_points).amount + self.fixed
        fee = max(fee, self.minimum)
        if self.maximum is not None:
            fee = min(fee, self.maximum)
        return Money(min(fee, money.amount), money.currency)

    def given_back(self, fee: int, *, refunded: int, of: int) -> int:
        """How much of a payment's fee is the merchant's again once `refunded` of it went back.

        In total, not for the last refund; minor units. A proportional part is rounded half up, so
        the parts of all refunds add up to the fee when all is refunded.
        """
        if self.refund_policy == self.RefundPolicy.PROPORTIONAL:
            return (2 * fee * refunded + of) // (2 * of)
        return fee if self.refund_policy == self.RefundPolicy.FULL and refunded >= of else 0
