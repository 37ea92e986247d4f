"""Where payouts leave from, and where they go."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from payments.models import Merchant


class DebtorAccount(models.Model):
    """An account of ours that payouts of one currency leave from.

    Once a file names it, it stays as it is; another one takes its place.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=70, help_text="Its holder, as the bank knows us.")
    iban = models.CharField(max_length=34)
    bic = models.CharField(max_length=11, blank=True)
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True, help_text="New payouts leave from it.")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency"],
                condition=Q(is_active=True),
                name="settlements_debtor_per_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class MerchantBankAccount(models.Model):
    """An account a merchant wants to be paid to. It counts when a second person has verified it.

    A change is a new row: until it is verified, payouts to the merchant wait.
    """

    class Status(models.TextChoices):
        UNVERIFIED = "UNVERIFIED"
        VERIFIED = "VERIFIED"
        REFUSED = "REFUSED"
        REPLACED = "REPLACED"  # another one was verified after it

    TRANSITIONS = {
        Status.UNVERIFIED: {Status.VERIFIED, Status.REFUSED},
        Status.VERIFIED: {Status.REPLACED},
        Status.REFUSED: set(),
        Status.REPLACED: set(),
    }

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="bank_accounts")
    currency = models.CharField(max_length=3)
    holder = models.CharField(max_length=70)
    iban = models.CharField(max_length=34)
    bic = models.CharField(max_length=11, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.UNVERIFIED)
    requested_by = models.CharField(max_length=120)
    decided_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("request_merchantbankaccount", "Can ask for a merchant to be paid to another account"),
            ("verify_merchantbankaccount", "Can verify a merchant's bank account"),
            ("refuse_merchantbankaccount", "Can refuse a merchant's bank account"),
            ("see_full_iban", "Can see whole account numbers"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["merchant", "currency"],
                condition=Q(status="VERIFIED"),
                name="settlements_bankaccount_one_verified",
            ),
            models.UniqueConstraint(
                fields=["merchant", "currency"],
                condition=Q(status="UNVERIFIED"),
                name="settlements_bankaccount_one_asked_for",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["UNVERIFIED", "VERIFIED", "REFUSED", "REPLACED"]),
                name="settlements_bankaccount_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="UNVERIFIED", decided_by="")
                | (~Q(status="UNVERIFIED") & ~Q(decided_by="")),
                name="settlements_bankaccount_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["UNVERIFIED", "REFUSED"])
                | ~Q(decided_by=F("requested_by")),
                name="settlements_bankaccount_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.merchant} {self.masked_iban}"

    @property
    def masked_iban(self) -> str:
        """Country and last four characters; what lists may show."""
        return f"{self.iban[:2]}…{self.iban[-4:]}"
