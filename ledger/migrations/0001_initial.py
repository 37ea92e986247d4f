"""The ledger: its tables, and the rules the database itself keeps."""

import datetime

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import ledger.models.accounts
import ledger.models.changes
import ledger.models.holds
import ledger.models.journal
from ledger.sql.migrations import run_sql_files


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("type__in", ["asset", "liability", "equity", "income", "expense"])
                        ),
                        name="ledger_accountgroup_type_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
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
                        default=ledger.models.accounts.account_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "owner",
                    models.CharField(
                        blank=True, help_text="Who it belongs to; empty: us.", max_length=40
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        help_text="Unique per owner, e.g. clearing:spay:EUR.", max_length=120
                    ),
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
                ("currency", models.CharField(max_length=3)),
                (
                    "floor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Lowest balance allowed, minor units; empty: no limit.",
                        null=True,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "is_frozen",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Nothing may be posted to it until it is thawed.",
                    ),
                ),
            ],
            options={
                "ordering": ["owner", "code"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "code"), name="ledger_account_code_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("type__in", ["asset", "liability", "equity", "income", "expense"])
                        ),
                        name="ledger_account_type_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountBalance",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="balance",
                        serialize=False,
                        to="ledger.account",
                    ),
                ),
                ("debits", models.BigIntegerField(default=0)),
                ("credits", models.BigIntegerField(default=0)),
                ("pending_credits", models.BigIntegerField(db_default=0, default=0)),
                ("pending_debits", models.BigIntegerField(db_default=0, default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("credits__gte", 0), ("debits__gte", 0)),
                        name="ledger_balance_totals_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pending_credits__gte", 0), ("pending_debits__gte", 0)),
                        name="ledger_balance_pending_positive",
                    ),
                ],
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
                "indexes": [
                    models.Index(
                        fields=["effective_on", "posted_on"], name="ledger_daytotal_by_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MonthTotal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "effective_month",
                        "posted_month",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("effective_month", models.DateField()),
                ("posted_month", models.DateField()),
                ("debits", models.BigIntegerField()),
                ("credits", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="month_totals",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "ordering": ["account_id", "effective_month", "posted_month"],
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(max_length=80)),
                ("actor_label", models.CharField(max_length=120)),
                (
                    "action",
                    models.CharField(
                        help_text="noun.verb_past, e.g. payout.approved", max_length=60
                    ),
                ),
                (
                    "subject",
                    models.CharField(help_text="Public id of what it was done to.", max_length=80),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("before", models.JSONField(blank=True, default=dict)),
                ("after", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "request_id",
                    models.CharField(
                        blank=True, help_text="Of the HTTP request it was done by.", max_length=40
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="Where that request came from.",
                        max_length=45,
                    ),
                ),
                (
                    "user_agent",
                    models.CharField(
                        blank=True,
                        db_default="",
                        help_text="What the request said its program was.",
                        max_length=200,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("export_auditevent", "Can export the audit trail")],
                "indexes": [
                    models.Index(fields=["subject"], name="ledger_auditevent_by_subject"),
                    models.Index(fields=["actor_label", "id"], name="ledger_auditevent_by_actor"),
                    models.Index(fields=["action", "id"], name="ledger_auditevent_by_action"),
                    models.Index(fields=["created_at"], name="ledger_auditevent_by_time"),
                    models.Index(
                        condition=models.Q(
                            ("action__in", ["sign_in.failed", "second_factor.failed"])
                        ),
                        fields=["address", "id"],
                        name="ledger_auditevent_guesses",
                    ),
                ],
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
        migrations.CreateModel(
            name="JournalEntry",
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
                        default=ledger.models.journal.journal_entry_id,
                        editable=False,
                        max_length=40,
                    ),
                ),
                ("idempotency_key", models.CharField(max_length=200)),
                (
                    "fingerprint",
                    models.BinaryField(
                        help_text="SHA-256 of the content: tells a replay from a clash."
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                (
                    "reference",
                    models.CharField(
                        help_text="Public id of the business object it is about.", max_length=80
                    ),
                ),
                ("posting_count", models.PositiveSmallIntegerField()),
                ("effective_at", models.DateTimeField(help_text="When it happened in the world.")),
                (
                    "posted_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="When it was written here.",
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
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
                (
                    "late_from",
                    models.DateTimeField(
                        blank=True,
                        help_text="When it really happened, if that period was closed and it was moved on.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "journal entries",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["reference"], name="ledger_entry_by_reference")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="ledger_entry_public_id_unique"
                    ),
                    models.UniqueConstraint(
                        fields=("idempotency_key",), name="ledger_entry_once_per_key"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses__isnull", False)),
                        fields=("reverses",),
                        name="ledger_entry_reversed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("posting_count__gte", 2)),
                        name="ledger_entry_two_postings",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "entry_id",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="ledger.account",
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="postings",
                        to="ledger.journalentry",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "direction",
                    models.CharField(
                        choices=[("debit", "debit"), ("credit", "credit")], max_length=6
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Minor units, always positive.")),
            ],
            options={
                "ordering": ["entry_id", "position"],
                "indexes": [
                    models.Index(fields=["account", "entry"], name="ledger_posting_by_account")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="ledger_posting_amount_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["debit", "credit"])),
                        name="ledger_posting_direction_known",
                    ),
                ],
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
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "HELD")),
                        fields=["expires_at"],
                        name="ledger_hold_expiring",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0),
                            ("captured__gte", 0),
                            ("captured__lte", models.F("amount")),
                        ),
                        name="ledger_hold_within_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["HELD", "CAPTURED", "VOIDED", "EXPIRED"])
                        ),
                        name="ledger_hold_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("status", "HELD")),
                            models.Q(
                                models.Q(("status", "HELD"), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ledger_hold_ended_once",
                    ),
                ],
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
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="capture_of",
                        to="ledger.journalentry",
                    ),
                ),
                (
                    "hold",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="captures",
                        to="ledger.hold",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="ledger_holdcapture_positive"
                    )
                ],
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
                "permissions": [
                    ("close_accountingperiod", "Can close accounting periods"),
                    ("lock_accountingperiod", "Can lock accounting periods"),
                    ("request_reopening", "Can ask for an accounting period to be opened again"),
                    ("approve_reopening", "Can open an accounting period again on request"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("starts_at__lt", models.F("ends_at"))),
                        name="ledger_period_has_length",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["OPEN", "CLOSED", "LOCKED"])),
                        name="ledger_period_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reopening_approved_by", ""),
                            models.Q(
                                ("reopening_approved_by", models.F("reopening_requested_by")),
                                _negated=True,
                            ),
                            _connector="OR",
                        ),
                        name="ledger_period_four_eyes",
                    ),
                    django.contrib.postgres.constraints.ExclusionConstraint(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "list_of",
                    models.CharField(help_text="Label of the model that is listed.", max_length=80),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "query",
                    models.CharField(
                        blank=True, help_text="Query string of the list.", max_length=1000
                    ),
                ),
                ("is_shared", models.BooleanField(default=False, verbose_name="for everybody")),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_shared", True)),
                        fields=["list_of"],
                        name="ledger_savedview_shared",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "list_of", "name"), name="ledger_savedview_once_per_name"
                    )
                ],
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
                (
                    "leaf_marks",
                    models.BinaryField(
                        help_text="The first 8 bytes of each entry's hash: says which one a wrong root is due to."
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
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
            },
        ),
        run_sql_files(
            __file__,
            "append_only",
            "entries",
            "balances",
            "periods",
            "posting",
            undo="undo",
        ),
    ]
