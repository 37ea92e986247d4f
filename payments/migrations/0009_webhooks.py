import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import payments.models.webhooks


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0008_fee_plans_in_full"),
    ]

    operations = [
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
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.UniqueConstraint(
                fields=("public_id",), name="payments_endpoint_public_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["ENABLED", "DISABLED", "DISABLED_AUTO"])),
                name="payments_endpoint_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("removed_at__isnull", True),
                    models.Q(("status", "ENABLED"), _negated=True),
                    _connector="OR",
                ),
                name="payments_endpoint_removed_is_disabled",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("concurrency__gte", 1), ("concurrency__lte", 4)),
                name="payments_endpoint_concurrency",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("previous_secret__isnull", True), ("previous_secret_until__isnull", True)
                    ),
                    models.Q(
                        ("previous_secret__isnull", False), ("previous_secret_until__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="payments_endpoint_previous_secret_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["due_at", "id"],
                name="payments_delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["endpoint", "-id"], name="payments_delivery_by_endpoint"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("public_id",), name="payments_delivery_public_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.UniqueConstraint(
                fields=("endpoint", "event"), name="payments_delivery_once_per_endpoint"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["PENDING", "DELIVERED", "FAILED"])),
                name="payments_delivery_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "PENDING"), ("due_at__isnull", True), _connector="OR"
                ),
                name="payments_delivery_final_is_not_due",
            ),
        ),
    ]
