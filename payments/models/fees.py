"""What we charge merchants."""

from django.db import models

from ledger.money import Money
from payments.models.merchants import Merchant


class FeePlan(models.Model):
    """Our fee per payment from a day on. A new price is a new row; used rows are never edited."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="fee_plans")
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    basis_points = models.PositiveIntegerField(help_text="Hundredths of a per cent of the amount.")
    fixed = models.PositiveIntegerField(default=0, help_text="Plus this, in minor units.")

    class Meta:
        ordering = ["merchant", "currency", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "currency", "valid_from"], name="payments_feeplan_one_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} {self.currency} from {self.valid_from}"

    def fee_for(self, money: Money) -> Money:
        """Basis points rounded half up, plus the fixed part; never more than the amount."""
        fee = money.basis_points(self.basis_points).amount + self.fixed
        return Money(min(fee, money.amount), money.currency)
