"""Gateways as configured: which adapter, and what their contract says."""

from django.db import models


class Gateway(models.Model):
    """A processor that takes payments for us, and the terms it promised."""

    class Adapter(models.TextChoices):
        SIMULATOR = "simulator"  # our own processor, for development, the demo and tests
        STRIPE = "stripe"  # Stripe, by its own library; secrets come from the environment
        NONE = "none"  # payments through it are only imported

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    adapter = models.CharField(max_length=20, choices=Adapter, default=Adapter.NONE)
    fee_basis_points = models.PositiveIntegerField(
        default=0, help_text="What it charges us by contract, hundredths of a per cent."
    )
    fee_fixed = models.PositiveIntegerField(
        default=0, help_text="Plus this per payment, minor units of the payment's currency."
    )
    settlement_days = models.PositiveSmallIntegerField(
        default=2, help_text="Business days from payment to its settlement report (T+n)."
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(adapter__in=["simulator", "stripe", "none"]),
                name="payments_gateway_adapter_known",
            ),
        ]

    def __str__(self) -> str:
        return self.code
