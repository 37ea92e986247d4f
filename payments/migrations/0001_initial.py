"""Merchants, keys, gateways, payments, refunds and disputes."""

import re

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import payments.models.disputes
import payments.models.merchants
import payments.models.payments
import payments.models.refunds


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Merchant",
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
                        default=payments.models.merchants.merchant_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="Short name; part of its account codes and never changed.",
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("[A-Za-z0-9][A-Za-z0-9_.-]*\\Z")
                            )
                        ],
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("email", models.EmailField(blank=True, max_length=254)),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        help_text="IANA zone whose midnight ends a business day.",
                        max_length=64,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="SimulatedOperation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(max_length=40)),
                (
                    "key",
                    models.CharField(
                        help_text="Our key for the call.", max_length=120, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("charge", "Charge"), ("refund", "Refund")], max_length=10
                    ),
                ),
                ("merchant", models.CharField(max_length=40)),
                ("source", models.CharField(max_length=80)),
                ("reference", models.CharField(max_length=80)),
                ("parent_reference", models.CharField(blank=True, max_length=80)),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("broken", "Broken"),
                        ],
                        max_length=10,
                    ),
                ),
                ("decline_code", models.CharField(blank=True, max_length=60)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "reported_on",
                    models.DateField(help_text="Day of the report that contains it.", null=True),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Gateway",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "adapter",
                    models.CharField(
                        choices=[("simulator", "Simulator"), ("none", "None")],
                        default="none",
                        max_length=20,
                    ),
                ),
                (
                    "fee_basis_points",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="What it charges us by contract, hundredths of a per cent.",
                    ),
                ),
                (
                    "fee_fixed",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Plus this per payment, minor units of the payment's currency.",
                    ),
                ),
                (
                    "settlement_days",
                    models.PositiveSmallIntegerField(
                        default=2,
                        help_text="Business days from payment to its settlement report (T+n).",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("adapter__in", ["simulator", "none"])),
                        name="payments_gateway_adapter_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
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
                        default=payments.models.merchants.api_key_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                (
                    "prefix",
                    models.CharField(
                        help_text="First characters of the key, to tell keys apart.", max_length=12
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("payments:read", "Payments Read"),
                                ("payments:write", "Payments Write"),
                                ("operator", "Operator"),
                            ],
                            max_length=40,
                        ),
                        size=None,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="api_keys",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
                (
                    "public_id",
                    models.CharField(
                        default=payments.models.payments.payment_id, editable=False, max_length=40
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=255)),
                (
                    "request_digest",
                    models.CharField(help_text="SHA-256 of what was asked.", max_length=64),
                ),
                (
                    "reference",
                    models.CharField(
                        help_text="The merchant's name for it; what processors report back.",
                        max_length=80,
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount_refunded",
                    models.BigIntegerField(
                        default=0, help_text="Minor units refunded or being refunded."
                    ),
                ),
                (
                    "fee",
                    models.BigIntegerField(
                        default=0, help_text="Our fee, minor units, fixed on success."
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="Token of the payer's card or account.", max_length=80
                    ),
                ),
                ("description", models.CharField(blank=True, max_length=255)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("PROCESSING", "Processing"),
                            ("SUCCEEDED", "Succeeded"),
                            ("FAILED", "Failed"),
                        ],
                        default="PENDING",
                        max_length=10,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, max_length=60)),
                ("failure_reason", models.CharField(blank=True, max_length=255)),
                ("gateway_reference", models.CharField(blank=True, max_length=80)),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "effective_at",
                    models.DateTimeField(help_text="When the money moved in the world.", null=True),
                ),
                (
                    "is_settled_elsewhere",
                    models.BooleanField(
                        default=False,
                        help_text="History of another system: posts nothing and joins no batch.",
                    ),
                ),
                ("settlement_currency", models.CharField(max_length=3)),
                (
                    "settlement_due_on",
                    models.DateField(
                        help_text="Day by which the processor's report should show it.", null=True
                    ),
                ),
                (
                    "processor_fee_expected",
                    models.BigIntegerField(
                        help_text="What the processor should charge us, minor units of the next field.",
                        null=True,
                    ),
                ),
                ("processor_fee_currency", models.CharField(blank=True, max_length=3)),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.gateway",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
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
                        default=payments.models.disputes.dispute_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        help_text="The processor's name for it.", max_length=120, unique=True
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "fee",
                    models.BigIntegerField(
                        default=0, help_text="Our fee to the merchant, minor units."
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("UNDER_REVIEW", "Under Review"),
                            ("WON", "Won"),
                            ("LOST", "Lost"),
                        ],
                        default="OPEN",
                        max_length=12,
                    ),
                ),
                ("effective_at", models.DateTimeField(help_text="When the money was pulled back.")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="payments.merchant",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disputes",
                        to="payments.payment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
                (
                    "public_id",
                    models.CharField(
                        default=payments.models.refunds.refund_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=255)),
                ("request_digest", models.CharField(max_length=64)),
                (
                    "reference",
                    models.CharField(help_text="What processors report back.", max_length=80),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(blank=True, max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("PROCESSING", "Processing"),
                            ("SUCCEEDED", "Succeeded"),
                            ("FAILED", "Failed"),
                        ],
                        default="PENDING",
                        max_length=10,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, max_length=60)),
                ("failure_reason", models.CharField(blank=True, max_length=255)),
                ("gateway_reference", models.CharField(blank=True, max_length=80)),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "effective_at",
                    models.DateTimeField(help_text="When the money moved in the world.", null=True),
                ),
                ("settlement_currency", models.CharField(max_length=3)),
                ("settlement_due_on", models.DateField(null=True)),
                ("processor_fee_expected", models.BigIntegerField(null=True)),
                ("processor_fee_currency", models.CharField(blank=True, max_length=3)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="payments.merchant",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="payments.payment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="FeePlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateField()),
                (
                    "basis_points",
                    models.PositiveIntegerField(
                        help_text="Hundredths of a per cent of the amount."
                    ),
                ),
                (
                    "fixed",
                    models.PositiveIntegerField(default=0, help_text="Plus this, in minor units."),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_plans",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["merchant", "currency", "valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "currency", "valid_from"),
                        name="payments_feeplan_one_per_day",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at", "id"],
                name="payments_payment_due",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["gateway", "reference"], name="payments_payment_reference"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["merchant", "-id"], name="payments_payment_by_merchant"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("public_id",), name="payments_payment_public_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("merchant", "idempotency_key"), name="payments_payment_once_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("merchant", "reference"), name="payments_payment_reference_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payments_payment_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_refunded__gte", 0), ("amount_refunded__lte", models.F("amount"))
                ),
                name="payments_payment_refunds_within",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING", "PROCESSING", "SUCCEEDED", "FAILED"])
                ),
                name="payments_payment_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("effective_at__isnull", False), ("status", "SUCCEEDED")),
                    models.Q(
                        models.Q(("status", "SUCCEEDED"), _negated=True),
                        ("effective_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payments_payment_effective_iff_succeeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING", "PROCESSING"]),
                    ("due_at__isnull", True),
                    _connector="OR",
                ),
                name="payments_payment_final_is_not_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payments_dispute_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["OPEN", "UNDER_REVIEW", "WON", "LOST"])),
                name="payments_dispute_status_known",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at", "id"],
                name="payments_refund_due",
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["reference"], name="payments_refund_by_reference"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                fields=("merchant", "idempotency_key"), name="payments_refund_once_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(
                fields=("merchant", "reference"), name="payments_refund_reference_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payments_refund_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING", "PROCESSING", "SUCCEEDED", "FAILED"])
                ),
                name="payments_refund_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("effective_at__isnull", False), ("status", "SUCCEEDED")),
                    models.Q(
                        models.Q(("status", "SUCCEEDED"), _negated=True),
                        ("effective_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payments_refund_effective_iff_succeeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING", "PROCESSING"]),
                    ("due_at__isnull", True),
                    _connector="OR",
                ),
                name="payments_refund_final_is_not_due",
            ),
        ),
    ]
