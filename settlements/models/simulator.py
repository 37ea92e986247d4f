"""The simulated bank."""

from django.db import models

from ledger.money import Money


class SimulatedBankEntry(models.Model):
    """The simulated bank's own journal: what it booked on an account, and on which statement."""

    account = models.CharField(max_length=34, help_text="IBAN.")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units; credits positive, debits negative.")
    booked_on = models.DateField()
    counterparty = models.CharField(max_length=120)
    end_to_end_id = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=140)
    return_code = models.CharField(
        max_length=4, blank=True, help_text="Why it came back: ISO 20022 external code."
    )
    stated_on = models.DateField(null=True, help_text="Day of the statement that shows it.")

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "simulated bank entries"

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The bank's own id of the entry, as its statements show it."""
        return f"SB{self.pk:010d}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
