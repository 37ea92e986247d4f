"""Settlement batches, their lines, and payouts."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import settlements.models.batches
import settlements.models.payouts


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("payments", "0001_initial"),
    ]

    operations = [
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
            ],
            options={
                "verbose_name_plural": "simulated bank entries",
                "ordering": ["id"],
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.dispute",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.payment",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settlement",
                        to="payments.refund",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="settlements.settlementbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
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
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payout",
                        to="settlements.settlementbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="settlementbatch",
            constraint=models.UniqueConstraint(
                fields=("merchant", "currency", "period"), name="settlements_batch_once_per_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["OPEN", "CLOSED", "PAID", "FAILED"])),
                name="settlements_batch_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementbatch",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="settlementbatch",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="settlementbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("payout_amount__gte", 0)), name="settlements_batch_pays_forward"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("dispute__isnull", True),
                        ("payment__isnull", False),
                        ("refund__isnull", True),
                    ),
                    models.Q(
                        ("dispute__isnull", True),
                        ("payment__isnull", True),
                        ("refund__isnull", False),
                    ),
                    models.Q(
                        ("dispute__isnull", False),
                        ("payment__isnull", True),
                        ("refund__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="settlements_line_about_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="settlements_payout_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING_APPROVAL", "APPROVED", "SENT", "PAID"])
                ),
                name="settlements_payout_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_by", ""), ("status", "PENDING_APPROVAL")),
                    models.Q(
                        models.Q(("status", "PENDING_APPROVAL"), _negated=True),
                        models.Q(("approved_by", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="settlements_payout_approved_before_sent",
            ),
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(("approved_by", models.F("requested_by")), _negated=True),
                name="settlements_payout_four_eyes",
            ),
        ),
    ]
