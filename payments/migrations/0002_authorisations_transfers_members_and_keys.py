"""Manual capture, transfers, people, idempotency keys, gateway events."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import payments.models.transfers


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0006_seals_mark_their_entries"),
        ("payments", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            ],
            options={
                "ordering": ["-id"],
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
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
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
            ],
            options={
                "ordering": ["-id"],
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
            ],
            options={
                "ordering": ["-id"],
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
            ],
            options={
                "ordering": ["merchant", "user"],
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
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
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
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="gateway",
            name="payments_gateway_adapter_known",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payments_payment_refunds_within",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payments_payment_status_known",
        ),
        migrations.RemoveConstraint(
            model_name="payment",
            name="payments_payment_final_is_not_due",
        ),
        migrations.AddField(
            model_name="apikey",
            name="created_by",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaced_by",
            field=models.ForeignKey(
                blank=True,
                help_text="The key it was rotated to; both work until this one expires.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaces",
                to="payments.apikey",
            ),
        ),
        migrations.AddField(
            model_name="merchant",
            name="gateway",
            field=models.ForeignKey(
                blank=True,
                help_text="Takes its payments; empty: the first one that can.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merchants",
                to="payments.gateway",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="amount_captured",
            field=models.BigIntegerField(
                default=0,
                help_text="Minor units that moved: the amount, or less of an authorisation.",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="amount_to_capture",
            field=models.BigIntegerField(
                help_text="Minor units the gateway is to capture of an authorisation; empty: none.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="authorized_until",
            field=models.DateTimeField(
                help_text="When an authorisation runs out by itself.", null=True
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="cancel_requested_at",
            field=models.DateTimeField(
                help_text="Since when the gateway is to give an authorisation back.", null=True
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="capture",
            field=models.CharField(
                choices=[("automatic", "Automatic"), ("manual", "Manual")],
                default="automatic",
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("payments:read", "Payments Read"),
                        ("payments:write", "Payments Write"),
                        ("refunds:write", "Refunds Write"),
                        ("accounts:read", "Accounts Read"),
                        ("accounts:write", "Accounts Write"),
                        ("reports:read", "Reports Read"),
                        ("keys:write", "Keys Write"),
                        ("operator", "Operator"),
                    ],
                    max_length=40,
                ),
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="gateway",
            name="adapter",
            field=models.CharField(
                choices=[("simulator", "Simulator"), ("stripe", "Stripe"), ("none", "None")],
                default="none",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="status",
            field=models.CharField(
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
        migrations.AlterField(
            model_name="simulatedoperation",
            name="kind",
            field=models.CharField(
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
        migrations.RunSQL(
            "UPDATE payments_payment SET amount_captured = amount WHERE status = 'SUCCEEDED'",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="gateway",
            constraint=models.CheckConstraint(
                condition=models.Q(("adapter__in", ["simulator", "stripe", "none"])),
                name="payments_gateway_adapter_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_refunded__gte", 0),
                    ("amount_refunded__lte", models.F("amount_captured")),
                ),
                name="payments_payment_refunds_within",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount_captured__gt", 0),
                        ("amount_captured__lte", models.F("amount")),
                        ("status", "SUCCEEDED"),
                    ),
                    models.Q(
                        models.Q(("status", "SUCCEEDED"), _negated=True), ("amount_captured", 0)
                    ),
                    _connector="OR",
                ),
                name="payments_payment_captured_iff_succeeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_to_capture__isnull", True),
                    models.Q(
                        ("amount_to_capture__gt", 0), ("amount_to_capture__lte", models.F("amount"))
                    ),
                    _connector="OR",
                ),
                name="payments_payment_captures_within",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["PENDING", "PROCESSING", "AUTHORIZED"]),
                    ("due_at__isnull", True),
                    _connector="OR",
                ),
                name="payments_payment_final_is_not_due",
            ),
        ),
        migrations.AddField(
            model_name="accountreport",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reports",
                to="ledger.account",
            ),
        ),
        migrations.AddField(
            model_name="accountreport",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="account_reports",
                to="payments.merchant",
            ),
        ),
        migrations.AddField(
            model_name="gatewayevent",
            name="gateway",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="payments.gateway",
            ),
        ),
        migrations.AddField(
            model_name="idempotencykey",
            name="merchant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="idempotency_keys",
                to="payments.merchant",
            ),
        ),
        migrations.AddField(
            model_name="merchantmember",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="payments.merchant",
            ),
        ),
        migrations.AddField(
            model_name="merchantmember",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="destination_account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers_in",
                to="ledger.account",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="payments.merchant",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="refund_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="payments.transfer",
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="source_account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers_out",
                to="ledger.account",
            ),
        ),
        migrations.AddIndex(
            model_name="gatewayevent",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at", "id"],
                name="payments_gatewayevent_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="gatewayevent",
            constraint=models.UniqueConstraint(
                fields=("gateway", "event_id"), name="payments_gatewayevent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="gatewayevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["RECEIVED", "PROCESSED", "IGNORED", "FAILED"])),
                name="payments_gatewayevent_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="gatewayevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "RECEIVED"), ("due_at__isnull", True), _connector="OR"
                ),
                name="payments_gatewayevent_final_is_not_due",
            ),
        ),
        migrations.AddIndex(
            model_name="idempotencykey",
            index=models.Index(fields=["created_at"], name="payments_idempotency_by_age"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(
                fields=("merchant", "route", "key"), name="payments_idempotency_once_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="merchantmember",
            constraint=models.UniqueConstraint(
                fields=("user", "merchant"), name="payments_member_once_per_merchant"
            ),
        ),
        migrations.AddConstraint(
            model_name="merchantmember",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "admin", "developer", "viewer"])),
                name="payments_member_role_known",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at", "id"],
                name="payments_transfer_due",
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["source_account", "-id"], name="payments_transfer_by_source"
            ),
        ),
        migrations.AddIndex(
            model_name="transfer",
            index=models.Index(
                fields=["destination_account", "-id"], name="payments_transfer_by_target"
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(
                fields=("public_id",), name="payments_transfer_public_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.UniqueConstraint(
                fields=("merchant", "idempotency_key"), name="payments_transfer_once_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payments_transfer_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_refunded__gte", 0), ("amount_refunded__lte", models.F("amount"))
                ),
                name="payments_transfer_refunds_within",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("source_account", models.F("destination_account")), _negated=True
                ),
                name="payments_transfer_two_accounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["ACCEPTED", "PROCESSING", "COMPLETED", "FAILED"])
                ),
                name="payments_transfer_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("status", "COMPLETED"), models.Q(("journal_entry", ""), _negated=True)
                    ),
                    models.Q(
                        models.Q(("status", "COMPLETED"), _negated=True), ("journal_entry", "")
                    ),
                    _connector="OR",
                ),
                name="payments_transfer_entry_iff_completed",
            ),
        ),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["ACCEPTED", "PROCESSING"]),
                    ("due_at__isnull", True),
                    _connector="OR",
                ),
                name="payments_transfer_final_is_not_due",
            ),
        ),
    ]
