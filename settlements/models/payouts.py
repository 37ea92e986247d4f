"""How money reaches merchants."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Merchant
from settlements.models.accounts import DebtorAccount, MerchantBankAccount
from settlements.models.batches import SettlementBatch


def payout_id() -> str:
    return new_id("mpo")


def payout_file_id() -> str:
    return new_id("pf")


class Payout(models.Model):
    """Money on its way to a merchant's bank. Whoever asked for it is not who approves it."""

    class Status(models.TextChoices):
        PENDING_APPROVAL = "PENDING_APPROVAL"  # owed; nobody agreed to send it yet
        APPROVED = "APPROVED"  # a second person agreed; not with the bank yet
        SENT = "SENT"  # the bank was told; in transit
        PAID = "PAID"  # the bank statement shows it
        REJECTED = "REJECTED"  # the bank refused it; the money is due again
        RETURNED = "RETURNED"  # it came back; the money is due again
        CANCELED = "CANCELED"  # it never left; the money is payable again

    TRANSITIONS = {
        Status.PENDING_APPROVAL: {Status.APPROVED, Status.CANCELED},
        Status.APPROVED: {Status.SENT, Status.CANCELED},
        Status.SENT: {Status.PAID, Status.REJECTED},
        Status.PAID: {Status.RETURNED, Status.SENT},  # SENT: it was another line of the bank
        Status.REJECTED: set(),
        Status.RETURNED: set(),
        Status.CANCELED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=payout_id, editable=False)
    batch = models.ForeignKey(SettlementBatch, on_delete=models.PROTECT, related_name="payouts")
    bank_account = models.ForeignKey(
        MerchantBankAccount, null=True, on_delete=models.PROTECT, related_name="payouts"
    )
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payouts")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING_APPROVAL)
    requested_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)
    returned_on = models.DateField(null=True)
    canceled_at = models.DateTimeField(null=True)
    failure_code = models.CharField(
        max_length=35, blank=True, help_text="The bank's reason: ISO 20022 external code."
    )
    failure_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "paid_on"], name="settlements_payout_stages")]
        permissions = [
            ("approve_payout", "Can approve payouts that somebody else asked for"),
            ("cancel_payout", "Can cancel payouts that have not left"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="settlements_payout_positive"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "PENDING_APPROVAL",
                        "APPROVED",
                        "SENT",
                        "PAID",
                        "REJECTED",
                        "RETURNED",
                        "CANCELED",
                    ]
                ),
                name="settlements_payout_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="PENDING_APPROVAL", approved_by="")
                | Q(status="CANCELED")
                | (~Q(status="PENDING_APPROVAL") & ~Q(approved_by="")),
                name="settlements_payout_approved_before_sent",
            ),
            models.UniqueConstraint(
                fields=["batch"],
                condition=~Q(status__in=["REJECTED", "RETURNED", "CANCELED"]),
                name="settlements_payout_one_alive_per_batch",
            ),
            models.CheckConstraint(
                condition=~Q(approved_by=F("requested_by")), name="settlements_payout_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class PayoutFile(models.Model):
    """Payouts as they are told to one bank: the very bytes, kept for ever."""

    class Format(models.TextChoices):
        PAIN_001 = "pain.001.001.09"
        CSV = "csv"

    class Status(models.TextChoices):
        CREATED = "CREATED"  # not with the bank, as far as we know
        SENT = "SENT"  # somebody or something has handed it over
        ACCEPTED = "ACCEPTED"  # the bank took all of it
        PARTIAL = "PARTIAL"  # the bank refused some of it
        REJECTED = "REJECTED"  # the bank refused all of it

    TRANSITIONS = {
        Status.CREATED: {Status.SENT, Status.ACCEPTED, Status.PARTIAL, Status.REJECTED},
        Status.SENT: {Status.ACCEPTED, Status.PARTIAL, Status.REJECTED},
        Status.ACCEPTED: {Status.PARTIAL, Status.REJECTED},
        Status.PARTIAL: {Status.REJECTED},
        Status.REJECTED: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=payout_file_id, editable=False)
    debtor = models.ForeignKey(DebtorAccount, on_delete=models.PROTECT, related_name="files")
    format = models.CharField(max_length=20, choices=Format)
    execution_on = models.DateField()
    status = models.CharField(max_length=8, choices=Status, default=Status.CREATED)
    payout_count = models.PositiveIntegerField()
    control_sum = models.BigIntegerField(help_text="Minor units.")
    content = models.BinaryField(editable=False)
    sha256 = models.CharField(max_length=64)
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("make_payoutfile", "Can make files of approved payouts"),
            ("withdraw_payoutfile", "Can withdraw payout files that nobody has taken"),
            ("download_payoutfile", "Can take payout files to the bank"),
            ("import_statusreport", "Can load the bank's answers to payout files"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["CREATED", "SENT", "ACCEPTED", "PARTIAL", "REJECTED"]),
                name="settlements_payoutfile_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def file_name(self) -> str:
        return f"{self.public_id}.{'csv' if self.format == self.Format.CSV else 'xml'}"


class PayoutAttempt(models.Model):
    """A payout in a file. It is in one live file at most."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="attempts")
    file = models.ForeignKey(PayoutFile, on_delete=models.PROTECT, related_name="attempts")
    is_live = models.BooleanField(default=True, help_text="The bank has not refused it.")
    reason_code = models.CharField(max_length=35, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["payout"],
                condition=Q(is_live=True),
                name="settlements_attempt_one_live_file",
            ),
            models.UniqueConstraint(
                fields=["payout", "file"], name="settlements_attempt_once_per_file"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payout} in {self.file}"
