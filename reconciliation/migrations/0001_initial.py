"""Statements, matches and discrepancies: tables and rules."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import reconciliation.models.discrepancies
import reconciliation.models.fee_groups
import reconciliation.models.files
import reconciliation.models.matches
import reconciliation.models.sign_offs
import reconciliation.models.write_offs
from ledger.sql.migrations import run_sql_files


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("ledger", "0001_initial"),
        ("payments", "0001_initial"),
        ("settlements", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("processor_report", "Processor Report"),
                            ("bank_statement", "Bank Statement"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "formats",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="Formats it may send; recognised by content.",
                        size=None,
                    ),
                ),
                (
                    "zone",
                    models.CharField(
                        default="UTC",
                        help_text="IANA zone in which its days begin and end.",
                        max_length=64,
                    ),
                ),
                (
                    "counterparties",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        blank=True,
                        default=list,
                        help_text="Names a processor's deposits carry on bank statements.",
                        size=None,
                    ),
                ),
                (
                    "gateway",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sources",
                        to="payments.gateway",
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What is particular to it, by format: a CSV mapping.",
                    ),
                ),
                (
                    "on_bad_line",
                    models.CharField(
                        blank=True,
                        choices=[("atomic", "Atomic"), ("quarantine", "Quarantine")],
                        default="",
                        help_text="Empty: atomic for a bank, quarantine for a processor.",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("gateway__isnull", False), ("kind", "processor_report")),
                            models.Q(("gateway__isnull", True), ("kind", "bank_statement")),
                            _connector="OR",
                        ),
                        name="reconciliation_source_gateway_iff_processor",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "identifier",
                    models.CharField(help_text="IBAN, or the processor's own name.", max_length=60),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "opening_balance",
                    models.BigIntegerField(
                        help_text="Minor units; what was there before the first statement.",
                        null=True,
                    ),
                ),
                (
                    "opening_on",
                    models.DateField(help_text="First day of the first statement.", null=True),
                ),
                (
                    "ledger_account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="source_account",
                        to="ledger.account",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="reconciliation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "identifier", "currency"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "identifier", "currency"),
                        name="reconciliation_sourceaccount_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("known_at", models.DateTimeField()),
                ("book", models.BigIntegerField()),
                ("statement", models.BigIntegerField()),
                ("explained", models.BigIntegerField(help_text="By open items.")),
                ("open_items", models.PositiveIntegerField()),
                (
                    "source_account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proof",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_items__gt", 0), ("explained", 0), _connector="OR"
                        ),
                        name="reconciliation_accountproof_items_explain",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementFile",
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
                        default=reconciliation.models.files.statement_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "name",
                    models.CharField(help_text="As given; never used as a path.", max_length=255),
                ),
                (
                    "format",
                    models.CharField(
                        blank=True,
                        help_text="Told from its content; zip and gzip are archives.",
                        max_length=60,
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField(help_text="Bytes.")),
                ("received_by", models.CharField(max_length=120)),
                (
                    "loaded_at",
                    models.DateTimeField(
                        blank=True, help_text="When its lines came to be.", null=True
                    ),
                ),
                ("line_count", models.PositiveIntegerField(default=0)),
                (
                    "known_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Lines earlier files had brought already."
                    ),
                ),
                ("rejected_count", models.PositiveIntegerField(default=0)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="files",
                        to="reconciliation.source",
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
                    "channel",
                    models.CharField(
                        choices=[
                            ("command", "Command"),
                            ("api", "Api"),
                            ("admin", "Admin"),
                            ("inbox", "Inbox"),
                        ],
                        default="command",
                        max_length=7,
                    ),
                ),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RECEIVED", "Received"),
                            ("LOADING", "Loading"),
                            ("LOADED", "Loaded"),
                            ("LOADED_WITH_ERRORS", "Loaded With Errors"),
                            ("REFUSED", "Refused"),
                        ],
                        default="RECEIVED",
                        max_length=18,
                    ),
                ),
                (
                    "bytes_read",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Of its size, while it loads."
                    ),
                ),
                ("lines_read", models.PositiveIntegerField(default=0)),
                (
                    "uncounted_count",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Lines that only announce or detail what a statement says: no movement.",
                    ),
                ),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal", models.CharField(blank=True, max_length=500)),
                (
                    "has_new_lines",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Lines that no run has looked at yet.",
                    ),
                ),
                (
                    "empty_day",
                    models.DateField(
                        blank=True,
                        help_text="The day in its name, if it has no line that would say what day it is about.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("upload_statementfile", "Can send statement files"),
                    ("retry_statementfile", "Can have refused statement files read once more"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)),
                        fields=["due_at", "id"],
                        name="reconciliation_file_due",
                    ),
                    models.Index(
                        condition=models.Q(("has_new_lines", True)),
                        fields=["id"],
                        name="reconciliation_file_new_lines",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "sha256", "empty_day"),
                        name="reconciliation_file_loaded_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["RECEIVED", "LOADING", "LOADED", "LOADED_WITH_ERRORS", "REFUSED"],
                            )
                        ),
                        name="reconciliation_file_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["RECEIVED", "LOADING"]),
                            ("due_at__isnull", True),
                            _connector="OR",
                        ),
                        name="reconciliation_file_final_is_not_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status", "REFUSED"), models.Q(("refusal_code", ""), _negated=True)
                            ),
                            models.Q(
                                models.Q(("status", "REFUSED"), _negated=True), ("refusal_code", "")
                            ),
                            _connector="OR",
                        ),
                        name="reconciliation_file_refused_iff_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["LOADED", "LOADED_WITH_ERRORS"]), _negated=True
                            ),
                            ("loaded_at__isnull", False),
                            _connector="OR",
                        ),
                        name="reconciliation_file_loaded_at_is_there",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementFileChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 0.")),
                ("content", models.BinaryField()),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="reconciliation.statementfile",
                    ),
                ),
            ],
            options={
                "ordering": ["file", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number"), name="reconciliation_chunk_once_per_place"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchiveMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="Place in the archive, from 1.")),
                ("name", models.CharField(max_length=255)),
                (
                    "archive",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="reconciliation.statementfile",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archives",
                        to="reconciliation.statementfile",
                    ),
                ),
            ],
            options={
                "ordering": ["archive", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("archive", "number"), name="reconciliation_member_once_per_place"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line_no", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=255)),
                (
                    "raw",
                    models.TextField(
                        blank=True, help_text="As it stands in the file, up to 10,000 characters."
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rejected",
                        to="reconciliation.statementfile",
                    ),
                ),
                ("code", models.CharField(help_text="What is wrong, for machines.", max_length=60)),
                (
                    "correction",
                    models.TextField(blank=True, help_text="What is read in its place."),
                ),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("NOT_BOOKED", "Not Booked"),
                            ("LOADED", "Loaded"),
                            ("DISCARDED", "Discarded"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "resolved_by",
                    models.CharField(
                        blank=True, help_text="Who corrected or discarded.", max_length=120
                    ),
                ),
                ("resolution_reason", models.CharField(blank=True, max_length=500)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["id"],
                "permissions": [
                    ("correct_rejectedline", "Can correct lines that cannot be read"),
                    ("discard_rejectedline", "Can leave out lines that cannot be read"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolution", "")),
                        fields=["file", "id"],
                        name="reconciliation_rejected_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identifier", models.CharField(blank=True, max_length=80)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("opening_balance", models.BigIntegerField(help_text="Minor units.", null=True)),
                ("closing_balance", models.BigIntegerField(help_text="Minor units.", null=True)),
                ("line_count", models.PositiveIntegerField(default=0)),
                (
                    "net",
                    models.BigIntegerField(default=0, help_text="Sum of the lines, minor units."),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="reconciliation.sourceaccount",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="reconciliation.statementfile",
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(default=1, help_text="Place in its file, from 1."),
                ),
                (
                    "sequence",
                    models.CharField(
                        blank=True, help_text="The bank's own numbering.", max_length=40
                    ),
                ),
                (
                    "known_count",
                    models.PositiveIntegerField(
                        default=0, help_text="Lines earlier files had brought already."
                    ),
                ),
                (
                    "contradictions",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Where it does not agree with itself: code and message.",
                    ),
                ),
            ],
            options={
                "ordering": ["-last_day", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number", "source_account"),
                        name="reconciliation_statement_once_per_place",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line_no", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("charge", "Charge"),
                            ("refund", "Refund"),
                            ("dispute", "Dispute"),
                            ("dispute_reversal", "Dispute Reversal"),
                            ("fee", "Fee"),
                            ("payout", "Payout"),
                            ("adjustment", "Adjustment"),
                            ("entry", "Entry"),
                        ],
                        max_length=16,
                    ),
                ),
                ("identity", models.CharField(max_length=120)),
                ("occurrence", models.PositiveIntegerField()),
                ("external_id", models.CharField(blank=True, max_length=100)),
                ("booked_on", models.DateField()),
                ("value_on", models.DateField()),
                ("gross", models.BigIntegerField()),
                ("fee", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                (
                    "presentment_amount",
                    models.BigIntegerField(
                        help_text="What the payer saw, minor units; empty: not reported.", null=True
                    ),
                ),
                ("presentment_currency", models.CharField(blank=True, max_length=3)),
                ("reference", models.CharField(blank=True, max_length=255)),
                ("parent_reference", models.CharField(blank=True, max_length=255)),
                ("payout_id", models.CharField(blank=True, max_length=100)),
                ("merchant", models.CharField(blank=True, max_length=100)),
                ("counterparty", models.CharField(blank=True, max_length=255)),
                ("text", models.TextField(blank=True)),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), default=list, size=None
                    ),
                ),
                (
                    "is_booked",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="A payout or fee row whose entry is posted.",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="reconciliation.statementfile",
                    ),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="reconciliation.sourceaccount",
                    ),
                ),
                (
                    "corrected_at",
                    models.DateTimeField(
                        help_text="When it came to be, if that was after its file was loaded.",
                        null=True,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True,
                        fields=["file"],
                        name="reconciliation_line_by_file",
                        pages_per_range=16,
                    ),
                    models.Index(fields=["reference"], name="reconciliation_line_reference"),
                    models.Index(
                        fields=["source_account", "booked_on"], name="reconciliation_line_by_day"
                    ),
                    models.Index(
                        condition=models.Q(("is_booked", False), ("kind__in", ["payout", "fee"])),
                        fields=["id"],
                        name="reconciliation_line_unbooked",
                    ),
                    models.Index(
                        condition=models.Q(("kind__in", ["payout", "dispute", "dispute_reversal"])),
                        fields=["source_account"],
                        name="reconciliation_line_no_charge",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source_account", "identity", "occurrence"),
                        name="reconciliation_line_loaded_once",
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
                        name="reconciliation_line_net_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationRun",
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
                        default=reconciliation.models.matches.run_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("as_of", models.DateField()),
                (
                    "source_code",
                    models.CharField(blank=True, help_text="Empty: all sources.", max_length=40),
                ),
                ("rules", models.JSONField(help_text="Version of each rule that ran, in order.")),
                (
                    "started_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "posted_through",
                    models.BigIntegerField(
                        default=0, help_text="Id of the last match whose entries are in the ledger."
                    ),
                ),
                ("match_count", models.PositiveIntegerField(default=0)),
                ("discrepancy_count", models.PositiveIntegerField(default=0)),
                ("result_hash", models.CharField(blank=True, max_length=64)),
                (
                    "trigger",
                    models.CharField(
                        choices=[("full", "Full"), ("arrival", "Arrival"), ("person", "Person")],
                        db_default="full",
                        default="full",
                        max_length=7,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ProcessorPayout",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("external_id", models.CharField(db_index=True, max_length=100)),
                ("currency", models.CharField(max_length=3)),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="Minor units; not positive: no deposit is due."
                    ),
                ),
                ("due_on", models.DateField(help_text="Day the bank should book it.")),
                (
                    "source_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processor_payouts",
                        to="reconciliation.sourceaccount",
                    ),
                ),
                (
                    "line",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processor_payout",
                        to="reconciliation.statementline",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment", "Payment"),
                            ("refund", "Refund"),
                            ("dispute", "Dispute"),
                            ("won_dispute", "Won Dispute"),
                            ("deposit", "Deposit"),
                            ("payout", "Payout"),
                        ],
                        max_length=11,
                    ),
                ),
                ("rule", models.CharField(max_length=60)),
                ("rule_version", models.PositiveSmallIntegerField()),
                (
                    "evidence",
                    models.JSONField(help_text="What the line said that the rule went by."),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "dispute",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.dispute",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.payment",
                    ),
                ),
                (
                    "payout",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="settlements.payout",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.refund",
                    ),
                ),
                (
                    "processor_payout",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="reconciliation.processorpayout",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "won_dispute",
                    models.OneToOneField(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="won_match",
                        to="payments.dispute",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="reconciliation.statementline",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="Of the line's net, minor units, signed like it."
                    ),
                ),
                (
                    "is_converted",
                    models.BooleanField(
                        db_default=False,
                        help_text="The payment or refund is in another currency than the line's account.",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "matches",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["run", "id"], name="reconciliation_match_by_run")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "payment"), ("payment__isnull", False)),
                            models.Q(("kind", "refund"), ("refund__isnull", False)),
                            models.Q(("dispute__isnull", False), ("kind", "dispute")),
                            models.Q(("kind", "won_dispute"), ("won_dispute__isnull", False)),
                            models.Q(("kind", "deposit"), ("processor_payout__isnull", False)),
                            models.Q(("kind", "payout"), ("payout__isnull", False)),
                            _connector="OR",
                        ),
                        name="reconciliation_match_about_its_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Discrepancy",
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
                        default=reconciliation.models.discrepancies.discrepancy_id,
                        editable=False,
                        max_length=40,
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Type and subject: found again, it is the same one.",
                        max_length=200,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("missing_settlement", "Missing Settlement"),
                            ("settlement_pending", "Settlement Pending"),
                            ("late_settlement", "Late Settlement"),
                            ("amount_mismatch", "Amount Mismatch"),
                            ("fee_mismatch", "Fee Mismatch"),
                            ("currency_mismatch", "Currency Mismatch"),
                            ("fx_rate_deviation", "Fx Rate Deviation"),
                            ("rounding_difference", "Rounding Difference"),
                            ("wrong_sign", "Wrong Sign"),
                            ("duplicate_line", "Duplicate Line"),
                            ("orphan_line", "Orphan Line"),
                            ("refund_not_in_settlement", "Refund Not In Settlement"),
                            ("dispute_not_in_settlement", "Dispute Not In Settlement"),
                            ("deposit_short", "Deposit Short"),
                            ("deposit_over", "Deposit Over"),
                            ("deposit_missing", "Deposit Missing"),
                            ("deposit_duplicate", "Deposit Duplicate"),
                            ("payout_missing", "Payout Missing"),
                            ("payout_returned", "Payout Returned"),
                            ("unexplained_bank_line", "Unexplained Bank Line"),
                            ("unparsed_line", "Unparsed Line"),
                            ("balance_gap", "Balance Gap"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("INVESTIGATING", "Investigating"),
                            ("RESOLVED", "Resolved"),
                            ("WRITE_OFF_REQUESTED", "Write Off Requested"),
                            ("WRITTEN_OFF", "Written Off"),
                        ],
                        default="OPEN",
                        max_length=19,
                    ),
                ),
                ("reference", models.CharField(max_length=255)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField(help_text="Money at stake, minor units.")),
                ("expected", models.CharField(blank=True, max_length=80)),
                ("actual", models.CharField(blank=True, max_length=80)),
                (
                    "since",
                    models.DateField(help_text="Business day from which it is counted as open."),
                ),
                (
                    "opened_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "payment",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="payments.payment",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="payments.refund",
                    ),
                ),
                (
                    "processor_payout",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.processorpayout",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opened",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolved",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.source",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.statementline",
                    ),
                ),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The person who ended it; empty: evidence did.",
                        max_length=120,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reason_code",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Why it was ended.",
                        max_length=40,
                    ),
                ),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="In a person's words.",
                        max_length=500,
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="payments.dispute",
                    ),
                ),
                (
                    "payout",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="settlements.payout",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "discrepancies",
                "ordering": ["-id"],
                "permissions": [
                    ("assign_discrepancy", "Can say who sees to a discrepancy"),
                    ("resolve_discrepancy", "Can end a discrepancy without an entry"),
                    ("reopen_discrepancy", "Can open a discrepancy again"),
                ],
                "indexes": [
                    models.Index(fields=["type", "status"], name="reconciliation_disc_by_type"),
                    models.Index(
                        condition=models.Q(("resolved_at__isnull", True)),
                        fields=["source", "since"],
                        name="reconciliation_disc_unsettled",
                    ),
                    models.Index(
                        condition=models.Q(("refund__isnull", False)),
                        fields=["refund"],
                        name="reconciliation_disc_refund",
                    ),
                    models.Index(
                        condition=models.Q(("dispute__isnull", False)),
                        fields=["dispute"],
                        name="reconciliation_disc_dispute",
                    ),
                    models.Index(
                        condition=models.Q(("processor_payout__isnull", False)),
                        fields=["processor_payout"],
                        name="reconciliation_disc_processo",
                    ),
                    models.Index(
                        condition=models.Q(("payout__isnull", False)),
                        fields=["payout"],
                        name="reconciliation_disc_payout",
                    ),
                    models.Index(
                        condition=models.Q(("line__isnull", False)),
                        fields=["line"],
                        name="reconciliation_disc_line",
                    ),
                    models.Index(
                        condition=models.Q(("owner__isnull", False)),
                        fields=["owner"],
                        name="reconciliation_disc_owner",
                    ),
                    models.Index(
                        condition=models.Q(("resolved_by__isnull", False)),
                        fields=["resolved_by"],
                        name="reconciliation_disc_resolved",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("public_id",), name="reconciliation_discrepancy_public_id_key"
                    ),
                    models.UniqueConstraint(
                        fields=("key",), name="reconciliation_discrepancy_key_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "OPEN",
                                    "INVESTIGATING",
                                    "RESOLVED",
                                    "WRITE_OFF_REQUESTED",
                                    "WRITTEN_OFF",
                                ],
                            )
                        ),
                        name="reconciliation_disc_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("resolved_at__isnull", True),
                                ("status__in", ["OPEN", "INVESTIGATING", "WRITE_OFF_REQUESTED"]),
                            ),
                            models.Q(
                                ("resolved_at__isnull", False),
                                ("status__in", ["RESOLVED", "WRITTEN_OFF"]),
                            ),
                            _connector="OR",
                        ),
                        name="reconciliation_disc_resolved_at_iff",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscrepancyNote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("author", models.CharField(max_length=120)),
                ("text", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "discrepancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="reconciliation.discrepancy",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FeeGroup",
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
                        default=reconciliation.models.fee_groups.fee_group_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("booked_on", models.DateField()),
                (
                    "first_match",
                    models.BigIntegerField(help_text="Id; the match may be undone by now."),
                ),
                ("last_match", models.BigIntegerField()),
                ("match_count", models.PositiveIntegerField(help_text="As it was posted.")),
                ("charged", models.BigIntegerField(help_text="Minor units, as it was posted.")),
                (
                    "given_back",
                    models.BigIntegerField(
                        help_text="Sum of the negative fees, as a positive amount."
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_groups",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_groups",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "source_account", "booked_on", "last_match"),
                        name="reconciliation_feegroup_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_match__lte", models.F("last_match")), ("match_count__gt", 0)
                        ),
                        name="reconciliation_feegroup_of_matches",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("charged__gte", 0),
                            ("given_back__gte", 0),
                            models.Q(("charged__gt", 0), ("given_back__gt", 0), _connector="OR"),
                        ),
                        name="reconciliation_feegroup_of_amounts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UndoneMatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payment", "Payment"),
                            ("refund", "Refund"),
                            ("dispute", "Dispute"),
                            ("won_dispute", "Won Dispute"),
                            ("deposit", "Deposit"),
                            ("payout", "Payout"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "subject_id",
                    models.BigIntegerField(help_text="Of the payment, refund, … that was matched."),
                ),
                ("amount", models.BigIntegerField(help_text="Of the line's net, minor units.")),
                ("rule", models.CharField(max_length=60)),
                ("rule_version", models.PositiveSmallIntegerField()),
                ("evidence", models.JSONField()),
                ("matched_at", models.DateTimeField()),
                ("undone_by", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=500)),
                (
                    "undone_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_matches",
                        to="reconciliation.statementline",
                    ),
                ),
                (
                    "match_number",
                    models.BigIntegerField(
                        help_text="Id that the match had; empty: undone before that was kept.",
                        null=True,
                    ),
                ),
                (
                    "fee_group",
                    models.ForeignKey(
                        help_text="Whose entry has the line's fee; an entry of its own took it back.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="undone_matches",
                        to="reconciliation.feegroup",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "undone matches",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        fields=["line", "kind", "subject_id"], name="reconciliation_undone_by_line"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FxRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField()),
                ("base", models.CharField(max_length=3)),
                ("quote", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
            ],
            options={
                "ordering": ["-date", "base", "quote"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("base", "quote", "date"), name="reconciliation_fxrate_one_per_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gt", 0)), name="reconciliation_fxrate_positive"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatchingTolerance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateField(help_text="Runs of this day and later use it.")),
                (
                    "fx_tolerance_basis_points",
                    models.PositiveIntegerField(
                        default=0, help_text="How far a conversion may be off the reference rate."
                    ),
                ),
                (
                    "deposit_days",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="Business days from a payout row, or of a bank: from the day our payout is to leave, to the bank's entry.",
                    ),
                ),
                ("set_by", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tolerances",
                        to="reconciliation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "-valid_from", "-id"],
                "permissions": [
                    ("request_matchingtolerance", "Can ask for another tolerance of matching"),
                    (
                        "approve_matchingtolerance",
                        "Can approve tolerances that somebody else asked for",
                    ),
                    ("refuse_matchingtolerance", "Can refuse tolerances"),
                    ("withdraw_matchingtolerance", "Can withdraw tolerances that wait"),
                ],
                "indexes": [
                    models.Index(
                        fields=["source", "-valid_from", "-id"], name="reconciliation_tolerance_now"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 1.")),
                ("terms", models.JSONField(help_text="The fields of the source.")),
                ("set_by", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="reconciliation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "-number"],
                "permissions": [("define_source", "Can change how a source's files are read")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "number"), name="reconciliation_sourceversion_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignOff",
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
                        default=reconciliation.models.sign_offs.sign_off_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("day", models.DateField()),
                (
                    "known_at",
                    models.DateTimeField(help_text="What was posted or loaded later is not in it."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PREPARED", "Prepared"),
                            ("SIGNED", "Signed"),
                            ("WITHDRAWN", "Withdrawn"),
                        ],
                        default="PREPARED",
                        max_length=9,
                    ),
                ),
                ("content", models.TextField(help_text="The report, canonical JSON.")),
                (
                    "content_hash",
                    models.CharField(help_text="SHA-256 of the content.", max_length=64),
                ),
                ("prepared_by", models.CharField(max_length=120)),
                (
                    "prepared_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("signed_by", models.CharField(blank=True, max_length=120)),
                ("signed_at", models.DateTimeField(null=True)),
                ("withdrawn_by", models.CharField(blank=True, max_length=120)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Why it was withdrawn.", max_length=500),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sign_offs",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-day", "source_account"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["PREPARED", "SIGNED"])),
                        fields=("source_account", "day"),
                        name="reconciliation_signoff_one_per_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["PREPARED", "SIGNED", "WITHDRAWN"])),
                        name="reconciliation_signoff_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("signed_by", ""), ("status", "PREPARED")),
                            models.Q(
                                ("signed_at__isnull", False),
                                ("status", "SIGNED"),
                                models.Q(("signed_by", ""), _negated=True),
                            ),
                            models.Q(
                                ("status", "WITHDRAWN"),
                                models.Q(("withdrawn_by", ""), _negated=True),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reconciliation_signoff_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("signed_by", ""),
                            models.Q(("signed_by", models.F("prepared_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="reconciliation_signoff_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WriteOff",
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
                        default=reconciliation.models.write_offs.write_off_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted_difference", "Accepted Difference"),
                            ("write_off", "Write Off"),
                            ("booking", "Booking"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("REQUESTED", "Requested"),
                            ("POSTED", "Posted"),
                            ("REFUSED", "Refused"),
                            ("WITHDRAWN", "Withdrawn"),
                            ("REVERSED", "Reversed"),
                        ],
                        default="REQUESTED",
                        max_length=9,
                    ),
                ),
                (
                    "account",
                    models.CharField(help_text="Code of the account that is off.", max_length=120),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[("debit", "debit"), ("credit", "credit")], max_length=6
                    ),
                ),
                ("counter_account", models.CharField(max_length=120)),
                ("amount", models.BigIntegerField(help_text="Minor units, positive.")),
                ("currency", models.CharField(max_length=3)),
                ("effective_on", models.DateField()),
                ("reason_code", models.CharField(max_length=40)),
                ("reason", models.CharField(max_length=500)),
                ("requested_by", models.CharField(max_length=120)),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                (
                    "journal_entry",
                    models.CharField(
                        blank=True, help_text="Public id of the entry it posted.", max_length=40
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "discrepancy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="write_offs",
                        to="reconciliation.discrepancy",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("approve_writeoff", "Can approve write-offs that somebody else asked for"),
                    ("refuse_writeoff", "Can refuse write-offs"),
                    ("withdraw_writeoff", "Can withdraw write-offs that wait"),
                    ("reverse_writeoff", "Can have the entry of a write-off undone"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["REQUESTED", "POSTED"])),
                        fields=("discrepancy",),
                        name="reconciliation_writeoff_one_alive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["REQUESTED", "POSTED", "REFUSED", "WITHDRAWN", "REVERSED"],
                            )
                        ),
                        name="reconciliation_writeoff_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)),
                        name="reconciliation_writeoff_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("direction__in", ["debit", "credit"])),
                        name="reconciliation_writeoff_direction_known",
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
                        name="reconciliation_writeoff_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["POSTED", "REVERSED"]), _negated=True),
                            models.Q(
                                models.Q(("decided_by", models.F("requested_by")), _negated=True),
                                models.Q(("journal_entry", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="reconciliation_writeoff_four_eyes",
                    ),
                ],
            },
        ),
        run_sql_files(
            __file__,
            "facts_stay",
            "staging",
            "lines",
            "matches",
            "discrepancies",
            "what_is_used_stays",
            "sign_offs",
            "undone_endings",
            undo="undo",
        ),
    ]
