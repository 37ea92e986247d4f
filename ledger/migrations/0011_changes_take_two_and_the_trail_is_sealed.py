"""Changes of settings and access take two people, and the audit trail is sealed as the journal is."""

import datetime

import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import ledger.models.changes
from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0010_audit_says_from_where"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "number",
                    models.BigIntegerField(
                        help_text="1, 2, 3 … without gaps.", primary_key=True, serialize=False
                    ),
                ),
                ("first_entry_id", models.BigIntegerField()),
                ("last_entry_id", models.BigIntegerField(unique=True)),
                ("entry_count", models.PositiveIntegerField()),
                ("merkle_root", models.BinaryField()),
                (
                    "leaf_marks",
                    models.BinaryField(
                        help_text="The first 8 bytes of each entry's hash: says which one a wrong root is due to."
                    ),
                ),
                (
                    "previous_hash",
                    models.BinaryField(help_text="Hash of the seal before; zeros for the first."),
                ),
                ("hash", models.BinaryField()),
                (
                    "horizon",
                    models.DateTimeField(
                        help_text="Entries sealed later were all posted after this moment."
                    ),
                ),
                (
                    "sealed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["-number"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ChangeRequest",
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
                        default=ledger.models.changes.change_request_id, max_length=40, unique=True
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                (
                    "subject",
                    models.CharField(help_text="Public id of what it is about.", max_length=80),
                ),
                ("payload", models.JSONField(help_text="What is asked for.")),
                ("in_force", models.JSONField(help_text="What was so when it was asked for.")),
                ("digest", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=500)),
                ("requested_by", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "Requested"),
                            ("APPLIED", "Applied"),
                            ("REFUSED", "Refused"),
                            ("WITHDRAWN", "Withdrawn"),
                        ],
                        default="REQUESTED",
                        max_length=9,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, default="", max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["REQUESTED", "APPLIED", "REFUSED", "WITHDRAWN"])
                        ),
                        name="ledger_change_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by", ""),
                                ("status", "REQUESTED"),
                            ),
                            models.Q(
                                models.Q(("status", "REQUESTED"), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_change_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "APPLIED"), _negated=True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="ledger_change_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "APPLIED"), _negated=True),
                            ("decided_at__lte", models.F("expires_at")),
                            _connector="OR",
                        ),
                        name="ledger_change_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("created_at"),
                                    "+",
                                    models.Value(datetime.timedelta(days=3)),
                                ),
                            )
                        ),
                        name="ledger_change_expires",
                    ),
                ],
            },
        ),
        run_sql_file(__file__),
    ]
