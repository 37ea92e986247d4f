"""Holds, accounting periods, seals, day totals and account groups."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import ledger.models.holds


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_journal_is_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "prefix",
                    models.CharField(help_text="e.g. clearing:", max_length=80, unique=True),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("asset", "asset"),
                            ("liability", "liability"),
                            ("equity", "equity"),
                            ("income", "income"),
                            ("expense", "expense"),
                        ],
                        max_length=9,
                    ),
                ),
            ],
            options={
                "ordering": ["prefix"],
            },
        ),
        migrations.CreateModel(
            name="AccountingPeriod",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(help_text="e.g. 2026-10", max_length=20, unique=True)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(help_text="The first moment after it.")),
                (
                    "status",
                    models.CharField(
                        choices=[("OPEN", "Open"), ("CLOSED", "Closed"), ("LOCKED", "Locked")],
                        default="OPEN",
                        max_length=6,
                    ),
                ),
                ("closed_by", models.CharField(blank=True, max_length=120)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "close_pack",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What the books said when it was last closed.",
                    ),
                ),
                ("reopening_requested_by", models.CharField(blank=True, max_length=120)),
                ("reopening_approved_by", models.CharField(blank=True, max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ["-starts_at"],
            },
        ),
        migrations.CreateModel(
            name="DayTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "effective_on",
                        "posted_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="day_totals",
                        to="ledger.account",
                    ),
                ),
                ("effective_on", models.DateField()),
                ("posted_on", models.DateField()),
                ("debits", models.BigIntegerField()),
                ("credits", models.BigIntegerField()),
                ("first_entry_id", models.BigIntegerField(help_text="The lowest entry id in it.")),
                ("last_entry_id", models.BigIntegerField(help_text="The highest entry id in it.")),
            ],
            options={
                "ordering": ["account_id", "effective_on", "posted_on"],
            },
        ),
        migrations.CreateModel(
            name="Hold",
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
                        default=ledger.models.holds.hold_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=200, unique=True)),
                (
                    "reference",
                    models.CharField(
                        help_text="Public id of the business object it is about.", max_length=80
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units, always positive.")),
                (
                    "captured",
                    models.BigIntegerField(default=0, help_text="Minor units taken so far."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("HELD", "Held"),
                            ("CAPTURED", "Captured"),
                            ("VOIDED", "Voided"),
                            ("EXPIRED", "Expired"),
                        ],
                        default="HELD",
                        max_length=8,
                    ),
                ),
                (
                    "expires_at",
                    models.DateTimeField(blank=True, help_text="Empty: never.", null=True),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="HoldCapture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units, always positive.")),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Seal",
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
            },
        ),
        migrations.AddField(
            model_name="accountbalance",
            name="pending_credits",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="accountbalance",
            name="pending_debits",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="request_id",
            field=models.CharField(
                blank=True, help_text="Of the HTTP request it was done by.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="late_from",
            field=models.DateTimeField(
                blank=True,
                help_text="When it really happened, if that period was closed and it was moved on.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="journalentry",
            name="reverses",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="The entry this one undoes; each at most once.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="ledger.journalentry",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="balance_after",
            field=models.BigIntegerField(
                help_text="Of the account, by its normal side; empty for accounts without a floor, whose balances are not locked while entries are written.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="accountbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("pending_credits__gte", 0), ("pending_debits__gte", 0)),
                name="ledger_balance_pending_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reverses__isnull", False)),
                fields=("reverses",),
                name="ledger_entry_reversed_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountgroup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("type__in", ["asset", "liability", "equity", "income", "expense"])
                ),
                name="ledger_accountgroup_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_at__lt", models.F("ends_at"))),
                name="ledger_period_has_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["OPEN", "CLOSED", "LOCKED"])),
                name="ledger_period_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountingperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reopening_approved_by", ""),
                    models.Q(
                        ("reopening_approved_by", models.F("reopening_requested_by")), _negated=True
                    ),
                    _connector="OR",
                ),
                name="ledger_period_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountingperiod",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (
                        models.Func(
                            models.F("starts_at"),
                            models.F("ends_at"),
                            django.contrib.postgres.fields.ranges.RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    )
                ],
                name="ledger_period_no_overlap",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holds",
                to="ledger.account",
            ),
        ),
        migrations.AddField(
            model_name="holdcapture",
            name="entry",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="capture_of",
                to="ledger.journalentry",
            ),
        ),
        migrations.AddField(
            model_name="holdcapture",
            name="hold",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="captures",
                to="ledger.hold",
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "HELD")),
                fields=["expires_at"],
                name="ledger_hold_expiring",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0), ("captured__gte", 0), ("captured__lte", models.F("amount"))
                ),
                name="ledger_hold_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["HELD", "CAPTURED", "VOIDED", "EXPIRED"])),
                name="ledger_hold_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("status", "HELD")),
                    models.Q(
                        models.Q(("status", "HELD"), _negated=True), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="ledger_hold_ended_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdcapture",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="ledger_holdcapture_positive"
            ),
        ),
    ]
