"""Merchants, payments and all that becomes of them, events, work: tables and rules."""

import datetime
import re

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import payments.models.disputes
import payments.models.events
import payments.models.logins
import payments.models.merchants
import payments.models.payments
import payments.models.refunds
import payments.models.transfers
import payments.models.webhooks
from ledger.sql.migrations import run_sql_files


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ledger", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GatewayAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("gateway", models.CharField(help_text="Its code.", max_length=40)),
                (
                    "subject",
                    models.CharField(
                        help_text="Public id of the payment or refund.", max_length=40
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        help_text="Which attempt at the row it was; from 1."
                    ),
                ),
                (
                    "action",
                    models.CharField(help_text="What was wanted: charge, capture …", max_length=10),
                ),
                (
                    "is_enquiry",
                    models.BooleanField(
                        help_text="Only asked what became of an earlier attempt; nothing was to move."
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                (
                    "milliseconds",
                    models.PositiveIntegerField(help_text="Until its whole batch was answered."),
                ),
                (
                    "answer",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("unanswered", "Unanswered"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "detail",
                    models.CharField(blank=True, help_text="Code or reason.", max_length=255),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["subject"], name="payments_attempt_by_subject")],
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
                        choices=[
                            ("simulator", "Simulator"),
                            ("stripe", "Stripe"),
                            ("none", "None"),
                        ],
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
                        condition=models.Q(("adapter__in", ["simulator", "stripe", "none"])),
                        name="payments_gateway_adapter_known",
                    )
                ],
            },
        ),
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
                (
                    "gateway",
                    models.ForeignKey(
                        blank=True,
                        help_text="Takes its payments; empty: the first one that can.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merchants",
                        to="payments.gateway",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="MerchantMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("owner", "Owner"),
                            ("admin", "Admin"),
                            ("developer", "Developer"),
                            ("viewer", "Viewer"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="payments.merchant",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["merchant", "user"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "merchant"), name="payments_member_once_per_merchant"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "admin", "developer", "viewer"])),
                        name="payments_member_role_known",
                    ),
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
                                ("refunds:write", "Refunds Write"),
                                ("accounts:read", "Accounts Read"),
                                ("accounts:write", "Accounts Write"),
                                ("reports:read", "Reports Read"),
                                ("events:read", "Events Read"),
                                ("webhooks:write", "Webhooks Write"),
                                ("keys:write", "Keys Write"),
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
                ("created_by", models.CharField(blank=True, max_length=120)),
                (
                    "replaced_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="The key it was rotated to; both work until this one expires.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="payments.apikey",
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
                (
                    "dispute_fee",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="When a payment is disputed, in minor units; kept whoever wins.",
                    ),
                ),
                (
                    "maximum",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="At most this, in minor units; empty: no limit.",
                        null=True,
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        blank=True,
                        help_text='How the payer pays: "visa". Empty: any other way.',
                        max_length=40,
                    ),
                ),
                (
                    "minimum",
                    models.PositiveBigIntegerField(
                        default=0, help_text="At least this, in minor units."
                    ),
                ),
                (
                    "refund_policy",
                    models.CharField(
                        choices=[
                            ("none", "None"),
                            ("proportional", "Proportional"),
                            ("full", "Full"),
                        ],
                        default="none",
                        help_text="What of the fee is given back when a payment is refunded.",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=500)),
                ("set_by", models.CharField(blank=True, db_default="", default="", max_length=120)),
            ],
            options={
                "ordering": ["merchant", "currency", "method", "valid_from"],
                "permissions": [
                    ("request_feeplan", "Can ask for other prices of a merchant"),
                    ("approve_feeplan", "Can approve prices that somebody else asked for"),
                    ("refuse_feeplan", "Can refuse prices"),
                    ("withdraw_feeplan", "Can withdraw prices that wait"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "currency", "method", "valid_from"),
                        name="payments_feeplan_one_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("basis_points__lte", 10000)),
                        name="payments_feeplan_at_most_all",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("maximum__isnull", True),
                            ("minimum__lte", models.F("maximum")),
                            _connector="OR",
                        ),
                        name="payments_feeplan_minimum_within_maximum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("refund_policy__in", ["none", "proportional", "full"])),
                        name="payments_feeplan_refund_policy_known",
                    ),
                ],
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
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
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
                            ("AUTHORIZED", "Authorized"),
                            ("SUCCEEDED", "Succeeded"),
                            ("FAILED", "Failed"),
                            ("CANCELED", "Canceled"),
                            ("EXPIRED", "Expired"),
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.gateway",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.merchant",
                    ),
                ),
                (
                    "amount_captured",
                    models.BigIntegerField(
                        default=0,
                        help_text="Minor units that moved: the amount, or less of an authorisation.",
                    ),
                ),
                (
                    "amount_to_capture",
                    models.BigIntegerField(
                        help_text="Minor units the gateway is to capture of an authorisation; empty: none.",
                        null=True,
                    ),
                ),
                (
                    "authorized_until",
                    models.DateTimeField(
                        help_text="When an authorisation runs out by itself.", null=True
                    ),
                ),
                (
                    "cancel_requested_at",
                    models.DateTimeField(
                        help_text="Since when the gateway is to give an authorisation back.",
                        null=True,
                    ),
                ),
                (
                    "capture",
                    models.CharField(
                        choices=[("automatic", "Automatic"), ("manual", "Manual")],
                        default="automatic",
                        max_length=9,
                    ),
                ),
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
                (
                    "fee_plan",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="What the fee comes from, and what refunds and disputes go by.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="payments.feeplan",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_payment_due",
                    ),
                    models.Index(fields=["merchant", "-id"], name="payments_payment_by_merchant"),
                    models.Index(
                        condition=models.Q(("gateway_reference", ""), _negated=True),
                        fields=["gateway", "gateway_reference"],
                        name="payments_payment_by_gateway",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="payments_payment_public_id_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("merchant", "idempotency_key"), name="payments_payment_once_per_key"
                    ),
                    models.UniqueConstraint(
                        fields=("reference", "merchant"), name="payments_payment_reference_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="payments_payment_amount_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_refunded__gte", 0),
                            ("amount_refunded__lte", models.F("amount_captured")),
                        ),
                        name="payments_payment_refunds_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("amount_captured__gt", 0),
                                ("amount_captured__lte", models.F("amount")),
                                ("status", "SUCCEEDED"),
                            ),
                            models.Q(
                                models.Q(("status", "SUCCEEDED"), _negated=True),
                                ("amount_captured", 0),
                            ),
                            _connector="OR",
                        ),
                        name="payments_payment_captured_iff_succeeded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_to_capture__isnull", True),
                            models.Q(
                                ("amount_to_capture__gt", 0),
                                ("amount_to_capture__lte", models.F("amount")),
                            ),
                            _connector="OR",
                        ),
                        name="payments_payment_captures_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "PENDING",
                                    "PROCESSING",
                                    "AUTHORIZED",
                                    "SUCCEEDED",
                                    "FAILED",
                                    "CANCELED",
                                    "EXPIRED",
                                ],
                            )
                        ),
                        name="payments_payment_status_known",
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["PENDING", "PROCESSING", "AUTHORIZED"]),
                            ("due_at__isnull", True),
                            _connector="OR",
                        ),
                        name="payments_payment_final_is_not_due",
                    ),
                ],
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
                ("won_at", models.DateTimeField(help_text="When the money came back.", null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="payments_dispute_amount_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["OPEN", "UNDER_REVIEW", "WON", "LOST"])),
                        name="payments_dispute_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "WON"), ("won_at__isnull", False)),
                            models.Q(
                                models.Q(("status", "WON"), _negated=True), ("won_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="payments_dispute_won_at_iff_won",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
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
                        default=payments.models.events.event_id, editable=False, max_length=40
                    ),
                ),
                ("type", models.CharField(help_text="E.g. payment.succeeded.", max_length=60)),
                (
                    "subject",
                    models.CharField(help_text="Public id of what it is about.", max_length=40),
                ),
                (
                    "sequence",
                    models.PositiveIntegerField(
                        help_text="Among the events about the same; from 1."
                    ),
                ),
                (
                    "data",
                    models.TextField(help_text="What the API said of it at that moment, JSON."),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["merchant", "-id"], name="payments_event_by_merchant"),
                    models.Index(fields=["merchant", "type", "id"], name="payments_event_by_type"),
                    models.Index(
                        django.db.models.functions.datetime.TruncHour(
                            "created_at", tzinfo=datetime.UTC
                        ),
                        models.F("id"),
                        name="payments_event_by_hour",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="payments_event_public_id_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("subject", "sequence"), name="payments_event_in_sequence"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sequence__gte", 1)),
                        name="payments_event_sequence_from_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        help_text="The operation, e.g. create_payment.", max_length=60
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                (
                    "request_digest",
                    models.BinaryField(help_text="SHA-256 of the path and the raw body."),
                ),
                (
                    "request_id",
                    models.CharField(
                        help_text="Of the request that was carried out.", max_length=40
                    ),
                ),
                ("http_status", models.PositiveSmallIntegerField()),
                ("location", models.CharField(blank=True, max_length=200)),
                ("body", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="idempotency_keys",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "route", "key"),
                        name="payments_idempotency_once_per_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GatewayEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "event_id",
                    models.CharField(help_text="The gateway's own id of it.", max_length=120),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="The gateway's own name, e.g. charge.refunded.", max_length=80
                    ),
                ),
                ("body", models.BinaryField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RECEIVED", "Received"),
                            ("PROCESSED", "Processed"),
                            ("IGNORED", "Ignored"),
                            ("FAILED", "Failed"),
                        ],
                        default="RECEIVED",
                        max_length=9,
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        blank=True, help_text="What was done, or why not.", max_length=255
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="payments.gateway",
                    ),
                ),
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_gatewayevent_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("gateway", "event_id"), name="payments_gatewayevent_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["RECEIVED", "PROCESSED", "IGNORED", "FAILED"])
                        ),
                        name="payments_gatewayevent_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "RECEIVED"), ("due_at__isnull", True), _connector="OR"
                        ),
                        name="payments_gatewayevent_final_is_not_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                ("job", models.CharField(max_length=60)),
                (
                    "business_period",
                    models.CharField(
                        help_text="The day, or moment, or merchant's period, that it is run for.",
                        max_length=80,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("DUE", "Due"), ("DONE", "Done"), ("SKIPPED", "Skipped")],
                        default="DUE",
                        max_length=7,
                    ),
                ),
                ("result", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("skip_jobrun", "Can skip runs of jobs")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_jobrun_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("job", "business_period"), name="payments_jobrun_once_per_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["DUE", "DONE", "SKIPPED"])),
                        name="payments_jobrun_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "DUE"), ("due_at__isnull", True), _connector="OR"
                        ),
                        name="payments_jobrun_final_is_not_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Login",
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
                        default=payments.models.logins.login_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "refresh_id",
                    models.CharField(help_text="Of the newest refresh token.", max_length=32),
                ),
                (
                    "credentials",
                    models.CharField(
                        editable=False,
                        help_text="Django's hash of the password's hash: another password ends the login.",
                        max_length=128,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="logins",
                        to=settings.AUTH_USER_MODEL,
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
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
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
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
                (
                    "fee_returned",
                    models.BigIntegerField(
                        default=0,
                        help_text="Of our fee, given back to the merchant with it; minor units.",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_refund_due",
                    ),
                    models.Index(fields=["reference"], name="payments_refund_by_reference"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("merchant", "idempotency_key"), name="payments_refund_once_per_key"
                    ),
                    models.UniqueConstraint(
                        fields=("merchant", "reference"), name="payments_refund_reference_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="payments_refund_amount_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["PENDING", "PROCESSING", "SUCCEEDED", "FAILED"])
                        ),
                        name="payments_refund_status_known",
                    ),
                    models.CheckConstraint(
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
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["PENDING", "PROCESSING"]),
                            ("due_at__isnull", True),
                            _connector="OR",
                        ),
                        name="payments_refund_final_is_not_due",
                    ),
                ],
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
                ("key", models.CharField(help_text="Our key for the call.", max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("charge", "Charge"),
                            ("refund", "Refund"),
                            ("authorize", "Authorize"),
                            ("capture", "Capture"),
                            ("cancel", "Cancel"),
                        ],
                        max_length=10,
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("key",), name="payments_simulatedoperation_once_per_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "public_id",
                    models.CharField(
                        default=payments.models.transfers.transfer_id, editable=False, max_length=40
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=255)),
                ("amount", models.BigIntegerField(help_text="Minor units.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount_refunded",
                    models.BigIntegerField(
                        default=0, help_text="Minor units sent back or being sent back."
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255)),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ACCEPTED", "Accepted"),
                            ("PROCESSING", "Processing"),
                            ("COMPLETED", "Completed"),
                            ("FAILED", "Failed"),
                        ],
                        default="ACCEPTED",
                        max_length=10,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, max_length=60)),
                ("failure_reason", models.CharField(blank=True, max_length=255)),
                (
                    "journal_entry",
                    models.CharField(
                        blank=True,
                        help_text="Public id of its entry once it is COMPLETED.",
                        max_length=40,
                    ),
                ),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "destination_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_in",
                        to="ledger.account",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="payments.merchant",
                    ),
                ),
                (
                    "refund_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="payments.transfer",
                    ),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers_out",
                        to="ledger.account",
                    ),
                ),
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_transfer_due",
                    ),
                    models.Index(
                        fields=["source_account", "-id"], name="payments_transfer_by_source"
                    ),
                    models.Index(
                        fields=["destination_account", "-id"], name="payments_transfer_by_target"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="payments_transfer_public_id_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("merchant", "idempotency_key"),
                        name="payments_transfer_once_per_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="payments_transfer_amount_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_refunded__gte", 0),
                            ("amount_refunded__lte", models.F("amount")),
                        ),
                        name="payments_transfer_refunds_within",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("source_account", models.F("destination_account")), _negated=True
                        ),
                        name="payments_transfer_two_accounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["ACCEPTED", "PROCESSING", "COMPLETED", "FAILED"])
                        ),
                        name="payments_transfer_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", "COMPLETED"),
                                models.Q(("journal_entry", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("status", "COMPLETED"), _negated=True),
                                ("journal_entry", ""),
                            ),
                            _connector="OR",
                        ),
                        name="payments_transfer_entry_iff_completed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["ACCEPTED", "PROCESSING"]),
                            ("due_at__isnull", True),
                            _connector="OR",
                        ),
                        name="payments_transfer_final_is_not_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountReport",
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
                        default=payments.models.transfers.report_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("is_balanced", models.BooleanField()),
                ("transaction_count", models.PositiveIntegerField()),
                ("expected_balance", models.BigIntegerField(help_text="Minor units.")),
                ("actual_balance", models.BigIntegerField(help_text="Minor units.")),
                ("discrepancies", models.JSONField(default=list)),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reports",
                        to="ledger.account",
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_reports",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
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
                        default=payments.models.webhooks.endpoint_id, editable=False, max_length=40
                    ),
                ),
                ("url", models.CharField(max_length=2000)),
                ("description", models.CharField(blank=True, max_length=255)),
                (
                    "event_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="E.g. payment.succeeded, refund.*, or *.",
                        size=None,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ENABLED", "Enabled"),
                            ("DISABLED", "Disabled"),
                            ("DISABLED_AUTO", "Disabled Auto"),
                        ],
                        default="ENABLED",
                        max_length=13,
                    ),
                ),
                ("disabled_reason", models.CharField(blank=True, max_length=255)),
                (
                    "secret",
                    models.BinaryField(help_text="Encrypted; the key is not in the database."),
                ),
                (
                    "previous_secret",
                    models.BinaryField(blank=True, help_text="Signs too, for a while.", null=True),
                ),
                ("previous_secret_until", models.DateTimeField(blank=True, null=True)),
                (
                    "concurrency",
                    models.PositiveSmallIntegerField(
                        default=4,
                        help_text="Deliveries at once; halved when it asks us to slow down.",
                    ),
                ),
                (
                    "failing_since",
                    models.DateTimeField(
                        blank=True, help_text="Since when every attempt has failed.", null=True
                    ),
                ),
                ("created_by", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        blank=True,
                        help_text="Without one it is the operator's, and gets every merchant's events.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_endpoints",
                        to="payments.merchant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("enable_webhookendpoint", "Can enable webhook endpoints"),
                    ("disable_webhookendpoint", "Can disable webhook endpoints"),
                    ("rotate_webhookendpoint", "Can give webhook endpoints another secret"),
                    ("test_webhookendpoint", "Can send tests to webhook endpoints"),
                    ("replay_webhookendpoint", "Can send past events to webhook endpoints again"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="payments_endpoint_public_id_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["ENABLED", "DISABLED", "DISABLED_AUTO"])
                        ),
                        name="payments_endpoint_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("removed_at__isnull", True),
                            models.Q(("status", "ENABLED"), _negated=True),
                            _connector="OR",
                        ),
                        name="payments_endpoint_removed_is_disabled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("concurrency__gte", 1), ("concurrency__lte", 4)),
                        name="payments_endpoint_concurrency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("previous_secret__isnull", True),
                                ("previous_secret_until__isnull", True),
                            ),
                            models.Q(
                                ("previous_secret__isnull", False),
                                ("previous_secret_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="payments_endpoint_previous_secret_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0)),
                ("fence", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "holder",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Heartbeat of the worker that has it; 0: has none.",
                        null=True,
                    ),
                ),
                (
                    "leased_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="Until when the holder has it; means nothing without one.",
                        null=True,
                    ),
                ),
                (
                    "deaths",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many workers died while they held it.",
                    ),
                ),
                (
                    "failures",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How many attempts ended in an error of ours.",
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The last.", max_length=500
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=payments.models.webhooks.delivery_id, editable=False, max_length=40
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Pending"),
                            ("DELIVERED", "Delivered"),
                            ("FAILED", "Failed"),
                        ],
                        default="PENDING",
                        max_length=9,
                    ),
                ),
                (
                    "tries",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Since it was last asked for: where it is on the schedule.",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="payments.event",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="payments.webhookendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "webhook deliveries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="payments_delivery_due",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["endpoint", "due_at", "id"],
                        name="payments_delivery_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("holder__isnull", False)),
                        fields=["endpoint"],
                        name="payments_delivery_in_hand",
                    ),
                    models.Index(
                        condition=models.Q(("due_at__isnull", True), ("status", "PENDING")),
                        fields=["endpoint"],
                        name="payments_delivery_set_aside",
                    ),
                    models.Index(fields=["endpoint", "-id"], name="payments_delivery_by_endpoint"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="payments_delivery_public_id_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("endpoint", "event"), name="payments_delivery_once_per_endpoint"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["PENDING", "DELIVERED", "FAILED"])),
                        name="payments_delivery_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status", "PENDING"), ("due_at__isnull", True), _connector="OR"
                        ),
                        name="payments_delivery_final_is_not_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(help_text="Which attempt at the delivery; from 1."),
                ),
                ("asked_at", models.DateTimeField()),
                ("milliseconds", models.PositiveIntegerField()),
                ("status_code", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "error",
                    models.CharField(
                        blank=True,
                        help_text="Class of what went wrong: timeout, refused …",
                        max_length=60,
                    ),
                ),
                (
                    "answer",
                    models.CharField(
                        blank=True, help_text="The start of the body.", max_length=2048
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts_made",
                        to="payments.webhookdelivery",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("delivery", "number"), name="payments_webhookattempt_numbered"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "node",
                    models.CharField(
                        help_text="The worker that this process belongs to.", max_length=255
                    ),
                ),
                ("pid", models.PositiveIntegerField()),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ParkedWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("queue", models.CharField(help_text="The table of the row.", max_length=80)),
                ("row_id", models.BigIntegerField()),
                ("subject", models.CharField(help_text="The row's own name.", max_length=120)),
                ("problem", models.TextField()),
                ("attempts", models.PositiveIntegerField()),
                ("deaths", models.PositiveIntegerField()),
                ("failures", models.PositiveIntegerField()),
                (
                    "parked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("discard_asked_by", models.CharField(blank=True, max_length=120)),
                ("discard_reason", models.CharField(blank=True, max_length=500)),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[("RETRIED", "Retried"), ("DISCARDED", "Discarded")],
                        max_length=9,
                    ),
                ),
                ("resolved_by", models.CharField(blank=True, max_length=120)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "parked work",
                "ordering": ["-id"],
                "permissions": [
                    ("ask_to_discard_parkedwork", "Can ask for parked work to be given up")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=("queue", "row_id"),
                        name="payments_parkedwork_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("resolution", ""),
                                ("resolved_at__isnull", True),
                                ("resolved_by", ""),
                            ),
                            models.Q(
                                ("resolution__in", ["RETRIED", "DISCARDED"]),
                                ("resolved_at__isnull", False),
                                models.Q(("resolved_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="payments_parkedwork_resolved_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resolution", "DISCARDED"), _negated=True),
                            models.Q(
                                models.Q(("discard_asked_by", ""), _negated=True),
                                models.Q(("discard_reason", ""), _negated=True),
                                models.Q(
                                    ("discard_asked_by", models.F("resolved_by")), _negated=True
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="payments_parkedwork_discarded_by_two",
                    ),
                ],
            },
        ),
        run_sql_files(
            __file__,
            "facts_stay",
            "whose_payments_are",
            "events",
            "storage",
            undo="undo",
        ),
    ]
