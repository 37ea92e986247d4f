"""Settlement batches, payouts and their files: tables and rules."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.lookups
from django.db import migrations, models

import settlements.models.adjustments
import settlements.models.batches
import settlements.models.payouts
from ledger.sql.migrations import run_sql_files


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("payments", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="DebtorAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                (
                    "name",
                    models.CharField(help_text="Its holder, as the bank knows us.", max_length=70),
                ),
                ("iban", models.CharField(max_length=34)),
                ("bic", models.CharField(blank=True, max_length=11)),
                ("currency", models.CharField(max_length=3)),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="New payouts leave from it."),
                ),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_active", True)),
                        fields=("currency",),
                        name="settlements_debtor_per_currency",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MerchantBankAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("holder", models.CharField(max_length=70)),
                ("iban", models.CharField(max_length=34)),
                ("bic", models.CharField(blank=True, max_length=11)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("UNVERIFIED", "Unverified"),
                            ("VERIFIED", "Verified"),
                            ("REFUSED", "Refused"),
                            ("REPLACED", "Replaced"),
                        ],
                        default="UNVERIFIED",
                        max_length=10,
                    ),
                ),
                ("requested_by", models.CharField(max_length=120)),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_accounts",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    (
                        "request_merchantbankaccount",
                        "Can ask for a merchant to be paid to another account",
                    ),
                    ("verify_merchantbankaccount", "Can verify a merchant's bank account"),
                    ("refuse_merchantbankaccount", "Can refuse a merchant's bank account"),
                    ("see_full_iban", "Can see whole account numbers"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "VERIFIED")),
                        fields=("merchant", "currency"),
                        name="settlements_bankaccount_one_verified",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "UNVERIFIED")),
                        fields=("merchant", "currency"),
                        name="settlements_bankaccount_one_asked_for",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["UNVERIFIED", "VERIFIED", "REFUSED", "REPLACED"])
                        ),
                        name="settlements_bankaccount_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", ""), ("status", "UNVERIFIED")),
                            models.Q(
                                models.Q(("status", "UNVERIFIED"), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="settlements_bankaccount_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["UNVERIFIED", "REFUSED"]),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="settlements_bankaccount_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Adjustment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=settlements.models.adjustments.adjustment_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount",
                    models.BigIntegerField(help_text="Minor units; positive: the merchant gains."),
                ),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "Requested"),
                            ("POSTED", "Posted"),
                            ("REFUSED", "Refused"),
                        ],
                        default="REQUESTED",
                        max_length=9,
                    ),
                ),
                ("requested_by", models.CharField(max_length=120)),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("effective_at", models.DateTimeField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adjustments",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("request_adjustment", "Can ask for a merchant to be owed more or less"),
                    ("approve_adjustment", "Can approve adjustments that somebody else asked for"),
                    ("refuse_adjustment", "Can refuse adjustments"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True),
                        name="settlements_adjustment_not_zero",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["REQUESTED", "POSTED", "REFUSED"])),
                        name="settlements_adjustment_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_by", ""), ("status", "REQUESTED")),
                            models.Q(
                                models.Q(("status", "REQUESTED"), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="settlements_adjustment_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "POSTED"), _negated=True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="settlements_adjustment_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReserveHold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                (
                    "held_on",
                    models.DateField(help_text="Business day of the batch that it was taken from."),
                ),
                (
                    "release_on",
                    models.DateField(help_text="Business day of the batch that gives it back."),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reserve_holds",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "currency", "held_on"),
                        name="settlements_reserve_once_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="settlements_reserve_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("release_on__gt", models.F("held_on"))),
                        name="settlements_reserve_released_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettlementBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=settlements.models.batches.batch_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("period", models.DateField(help_text="The business day, in the merchant's zone.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("CLOSED", "Closed"),
                            ("PAID", "Paid"),
                            ("FAILED", "Failed"),
                        ],
                        default="OPEN",
                        max_length=6,
                    ),
                ),
                ("line_count", models.PositiveIntegerField(default=0)),
                ("gross", models.BigIntegerField(default=0)),
                ("fee", models.BigIntegerField(default=0)),
                ("net", models.BigIntegerField(default=0)),
                (
                    "carried_in",
                    models.BigIntegerField(default=0, help_text="Left over by the batch before."),
                ),
                (
                    "payout_amount",
                    models.BigIntegerField(default=0, help_text="0: all is carried forward."),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batches",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "settlement batches",
                "ordering": ["-period", "merchant", "currency"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["OPEN", "FAILED"])),
                        fields=["status", "currency"],
                        name="settlements_batch_on_its_way",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "currency", "period"),
                        name="settlements_batch_once_per_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["OPEN", "CLOSED", "PAID", "FAILED"])),
                        name="settlements_batch_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "net",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("gross"), "-", models.F("fee")
                                ),
                            )
                        ),
                        name="settlements_batch_net_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payout_amount", 0),
                            (
                                "payout_amount",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("net"), "+", models.F("carried_in")
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="settlements_batch_pays_all_or_nothing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("payout_amount__gte", 0)),
                        name="settlements_batch_pays_forward",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettlementHorizon",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "through",
                    models.BigIntegerField(
                        default=0,
                        help_text="Up to this one, each is in a batch or will never be in one.",
                    ),
                ),
                ("seen", models.BigIntegerField(help_text="The newest one there was then.")),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="settlements_horizon_is_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("through__lte", models.F("seen"))),
                        name="settlements_horizon_was_seen",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=settlements.models.payouts.payout_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING_APPROVAL", "Pending Approval"),
                            ("APPROVED", "Approved"),
                            ("SENT", "Sent"),
                            ("PAID", "Paid"),
                            ("REJECTED", "Rejected"),
                            ("RETURNED", "Returned"),
                            ("CANCELED", "Canceled"),
                        ],
                        default="PENDING_APPROVAL",
                        max_length=16,
                    ),
                ),
                ("requested_by", models.CharField(max_length=120)),
                ("approved_by", models.CharField(blank=True, max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("sent_at", models.DateTimeField(null=True)),
                ("paid_on", models.DateField(null=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="payments.merchant",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="settlements.settlementbatch",
                    ),
                ),
                (
                    "failure_code",
                    models.CharField(
                        blank=True,
                        help_text="The bank's reason: ISO 20022 external code.",
                        max_length=35,
                    ),
                ),
                ("failure_reason", models.CharField(blank=True, max_length=255)),
                ("returned_on", models.DateField(null=True)),
                (
                    "bank_account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payouts",
                        to="settlements.merchantbankaccount",
                    ),
                ),
                ("canceled_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("approve_payout", "Can approve payouts that somebody else asked for"),
                    ("cancel_payout", "Can cancel payouts that have not left"),
                ],
                "indexes": [
                    models.Index(fields=["status", "paid_on"], name="settlements_payout_stages")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="settlements_payout_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "PENDING_APPROVAL",
                                    "APPROVED",
                                    "SENT",
                                    "PAID",
                                    "REJECTED",
                                    "RETURNED",
                                    "CANCELED",
                                ],
                            )
                        ),
                        name="settlements_payout_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_by", ""), ("status", "PENDING_APPROVAL")),
                            ("status", "CANCELED"),
                            models.Q(
                                models.Q(("status", "PENDING_APPROVAL"), _negated=True),
                                models.Q(("approved_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="settlements_payout_approved_before_sent",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ["REJECTED", "RETURNED", "CANCELED"]), _negated=True
                        ),
                        fields=("batch",),
                        name="settlements_payout_one_alive_per_batch",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", models.F("requested_by")), _negated=True
                        ),
                        name="settlements_payout_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gross", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                (
                    "dispute",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.dispute",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.payment",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.refund",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="settlements.settlementbatch",
                    ),
                ),
                (
                    "won_dispute",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_of_win",
                        to="payments.dispute",
                    ),
                ),
                (
                    "adjustment",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="settlements.adjustment",
                    ),
                ),
                (
                    "reserve_held",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_when_held",
                        to="settlements.reservehold",
                    ),
                ),
                (
                    "reserve_released",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_when_released",
                        to="settlements.reservehold",
                    ),
                ),
                (
                    "canceled_payout",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_when_canceled",
                        to="settlements.payout",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "net",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("gross"), "-", models.F("fee")
                                ),
                            )
                        ),
                        name="settlements_line_net_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=django.db.models.lookups.Exact(
                            models.Func(
                                models.F("payment"),
                                models.F("refund"),
                                models.F("dispute"),
                                models.F("won_dispute"),
                                models.F("reserve_held"),
                                models.F("reserve_released"),
                                models.F("adjustment"),
                                models.F("canceled_payout"),
                                function="num_nonnulls",
                                output_field=models.IntegerField(),
                            ),
                            1,
                        ),
                        name="settlements_line_about_one_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=settlements.models.payouts.payout_file_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("pain.001.001.09", "Pain 001"), ("csv", "Csv")], max_length=20
                    ),
                ),
                ("execution_on", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("CREATED", "Created"),
                            ("SENT", "Sent"),
                            ("ACCEPTED", "Accepted"),
                            ("PARTIAL", "Partial"),
                            ("REJECTED", "Rejected"),
                        ],
                        default="CREATED",
                        max_length=8,
                    ),
                ),
                ("payout_count", models.PositiveIntegerField()),
                ("control_sum", models.BigIntegerField(help_text="Minor units.")),
                ("content", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="settlements.debtoraccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("make_payoutfile", "Can make files of approved payouts"),
                    ("withdraw_payoutfile", "Can withdraw payout files that nobody has taken"),
                    ("download_payoutfile", "Can take payout files to the bank"),
                    ("import_statusreport", "Can load the bank's answers to payout files"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["CREATED", "SENT", "ACCEPTED", "PARTIAL", "REJECTED"])
                        ),
                        name="settlements_payoutfile_status_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "is_live",
                    models.BooleanField(default=True, help_text="The bank has not refused it."),
                ),
                ("reason_code", models.CharField(blank=True, max_length=35)),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "payout",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="settlements.payout",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="settlements.payoutfile",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_live", True)),
                        fields=("payout",),
                        name="settlements_attempt_one_live_file",
                    ),
                    models.UniqueConstraint(
                        fields=("payout", "file"), name="settlements_attempt_once_per_file"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SettlementSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateField()),
                (
                    "zone",
                    models.CharField(
                        default="UTC", help_text="IANA zone of its days.", max_length=64
                    ),
                ),
                (
                    "cut_off",
                    models.TimeField(
                        default=datetime.time(0, 0),
                        help_text="Wall time at which a business day ends; 00:00: at midnight.",
                    ),
                ),
                (
                    "interval",
                    models.CharField(
                        choices=[("daily", "Daily"), ("weekly", "Weekly"), ("monthly", "Monthly")],
                        default="daily",
                        max_length=7,
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        help_text="ISO: Monday is 1.",
                        size=None,
                    ),
                ),
                (
                    "month_days",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "holidays",
                    models.CharField(
                        blank=True,
                        help_text='Of a country or a part of it: "DE", "DE-BE", "US".',
                        max_length=10,
                    ),
                ),
                (
                    "delay_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Business days from a payment to the batch that contains it (T+n).",
                    ),
                ),
                (
                    "minimum_payouts",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Minor units by currency; less than that is carried.",
                    ),
                ),
                ("reserve_basis_points", models.PositiveSmallIntegerField(default=0)),
                (
                    "reserve_days",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Calendar days for which the reserve is kept back."
                    ),
                ),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement_schedules",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["merchant", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "valid_from"), name="settlements_schedule_one_per_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("interval", "daily"), ("month_days", []), ("weekdays", [])),
                            models.Q(
                                ("interval", "weekly"),
                                ("month_days", []),
                                models.Q(("weekdays", []), _negated=True),
                            ),
                            models.Q(
                                ("interval", "monthly"),
                                ("weekdays", []),
                                models.Q(("month_days", []), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="settlements_schedule_days_of_its_interval",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reserve_basis_points", 0), ("reserve_days", 0)),
                            models.Q(
                                ("reserve_basis_points__range", (1, 10000)), ("reserve_days__gt", 0)
                            ),
                            _connector="OR",
                        ),
                        name="settlements_schedule_reserve_has_days",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SimulatedBankEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.CharField(help_text="IBAN.", max_length=34)),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="Minor units; credits positive, debits negative."
                    ),
                ),
                ("booked_on", models.DateField()),
                ("counterparty", models.CharField(max_length=120)),
                ("end_to_end_id", models.CharField(blank=True, max_length=60)),
                ("text", models.CharField(max_length=140)),
                (
                    "stated_on",
                    models.DateField(help_text="Day of the statement that shows it.", null=True),
                ),
                (
                    "return_code",
                    models.CharField(
                        blank=True,
                        help_text="Why it came back: ISO 20022 external code.",
                        max_length=4,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "simulated bank entries",
                "ordering": ["id"],
            },
        ),
        run_sql_files(
            __file__,
            "lines",
            "facts_stay",
            undo="undo",
        ),
    ]
