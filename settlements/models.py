"""What we owe merchants per business day, and how it reaches them."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ledger.ids import new_id
from ledger.money import Money
from payments.models import Dispute, Merchant, Payment, Refund


def batch_id() -> str:
    return new_id("sb")


def payout_id() -> str:
    return new_id("mpo")


class SettlementBatch(models.Model):
    """What one merchant earned in one currency up to the end of one business day.

    `net` is what this batch's lines add up to; with what earlier batches carried it is paid out,
    or, when that is not positive, carried again. Amounts are minor units.
    """

    class Status(models.TextChoices):
        OPEN = "OPEN"  # lines may still join
        CLOSED = "CLOSED"  # frozen; a positive amount is due to the merchant
        PAID = "PAID"  # it reached the merchant's bank
        FAILED = "FAILED"  # the bank refused it

    TRANSITIONS = {
        Status.OPEN: {Status.CLOSED},
        Status.CLOSED: {Status.PAID, Status.FAILED},
        Status.PAID: set(),
        Status.FAILED: set(),
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

    def __str__(self) -> str:
        return self.public_id

    @property
    def payout_money(self) -> Money:
        return Money(self.payout_amount, self.currency)

    @property
    def carried_out(self) -> int:
        """What the next batch starts with, minor units."""
        return self.net + self.carried_in - self.payout_amount


class Settlement(models.Model):
    """One payment, refund or dispute in its batch; each is in exactly one. Minor units, signed."""

    batch = models.ForeignKey(SettlementBatch, on_delete=models.PROTECT, related_name="lines")
    payment = models.OneToOneField(
        Payment, null=True, on_delete=models.PROTECT, related_name="settlement"
    )
    refund = models.OneToOneField(
        Refund, null=True, on_delete=models.PROTECT, related_name="settlement"
    )
    dispute = models.OneToOneField(
        Dispute, null=True, on_delete=models.PROTECT, related_name="settlement"
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
                condition=Q(payment__isnull=False, refund__isnull=True, dispute__isnull=True)
                | Q(payment__isnull=True, refund__isnull=False, dispute__isnull=True)
                | Q(payment__isnull=True, refund__isnull=True, dispute__isnull=False),
                name="settlements_line_about_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment or self.refund or self.dispute}"


class Payout(models.Model):
    """Money on its way to a merchant's bank. Whoever asked for it is not who approves it."""

    class Status(models.TextChoices):
        PENDING_APPROVAL = "PENDING_APPROVAL"  # owed; nobody agreed to send it yet
        APPROVED = "APPROVED"  # a second person agreed; not with the bank yet
        SENT = "SENT"  # the bank was told; in transit
        PAID = "PAID"  # the bank statement shows it

    TRANSITIONS = {
        Status.PENDING_APPROVAL: {Status.APPROVED},
        Status.APPROVED: {Status.SENT},
        Status.SENT: {Status.PAID},
        Status.PAID: set(),
    }

    public_id = models.CharField(max_length=40, unique=True, default=payout_id, editable=False)
    batch = models.OneToOneField(SettlementBatch, on_delete=models.PROTECT, related_name="payout")
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="payouts")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING_APPROVAL)
    requested_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="settlements_payout_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING_APPROVAL", "APPROVED", "SENT", "PAID"]),
                name="settlements_payout_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="PENDING_APPROVAL", approved_by="")
                | (~Q(status="PENDING_APPROVAL") & ~Q(approved_by="")),
                name="settlements_payout_approved_before_sent",
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


class SimulatedBankEntry(models.Model):
    """The simulated bank's own journal: what it booked on an account, and on which statement."""

    account = models.CharField(max_length=34, help_text="IBAN.")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="Minor units; credits positive, debits negative.")
    booked_on = models.DateField()
    counterparty = models.CharField(max_length=120)
    end_to_end_id = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=140)
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
