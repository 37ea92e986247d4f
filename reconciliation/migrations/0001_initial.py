"""Sources, statements, runs, matches and discrepancies."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import reconciliation.models.discrepancies
import reconciliation.models.files
import reconciliation.models.matches


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger", "0001_initial"),
        ("payments", "0001_initial"),
        ("settlements", "0001_initial"),
    ]

    operations = [
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
            ],
            options={
                "ordering": ["-id"],
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
            ],
            options={
                "ordering": ["-id"],
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
                            ("deposit", "Deposit"),
                            ("payout", "Payout"),
                        ],
                        max_length=8,
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.dispute",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.payment",
                    ),
                ),
                (
                    "payout",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="settlements.payout",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="payments.refund",
                    ),
                ),
                (
                    "processor_payout",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match",
                        to="reconciliation.processorpayout",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "matches",
                "ordering": ["-id"],
            },
        ),
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
                    "deposit_days",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Business days from a payout row to its bank deposit."
                    ),
                ),
                (
                    "fx_tolerance_basis_points",
                    models.PositiveIntegerField(
                        default=0, help_text="How far a conversion may be off the reference rate."
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
            ],
            options={
                "ordering": ["code"],
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
            },
        ),
        migrations.AddField(
            model_name="processorpayout",
            name="source_account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="processor_payouts",
                to="reconciliation.sourceaccount",
            ),
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
                ("format", models.CharField(max_length=60)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField(help_text="Bytes.")),
                ("content", models.BinaryField()),
                ("loaded_by", models.CharField(max_length=120)),
                (
                    "loaded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
            ],
            options={
                "ordering": ["-id"],
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
            ],
            options={
                "ordering": ["-last_day", "-id"],
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
                ("raw", models.CharField(blank=True, max_length=500)),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rejected",
                        to="reconciliation.statementfile",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="reconciliation.statementfile",
                    ),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="processorpayout",
            name="line",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="processor_payout",
                to="reconciliation.statementline",
            ),
        ),
        migrations.CreateModel(
            name="MatchLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(
                        help_text="Of the line's net, minor units, signed like it."
                    ),
                ),
                (
                    "match",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="reconciliation.match",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="match_lines",
                        to="reconciliation.statementline",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
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
                        unique=True,
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        help_text="Type and subject: found again, it is the same one.",
                        max_length=200,
                        unique=True,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("missing_settlement", "Missing Settlement"),
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
                            ("deposit_short", "Deposit Short"),
                            ("deposit_over", "Deposit Over"),
                            ("deposit_missing", "Deposit Missing"),
                            ("deposit_duplicate", "Deposit Duplicate"),
                            ("payout_missing", "Payout Missing"),
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
                        choices=[("OPEN", "Open"), ("RESOLVED", "Resolved")],
                        default="OPEN",
                        max_length=10,
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
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="payments.payment",
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="payments.refund",
                    ),
                ),
                (
                    "processor_payout",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.processorpayout",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opened",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolved",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.source",
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discrepancies",
                        to="reconciliation.statementline",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "discrepancies",
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="match",
            index=models.Index(fields=["run", "id"], name="reconciliation_match_by_run"),
        ),
        migrations.AddConstraint(
            model_name="match",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "payment"), ("payment__isnull", False)),
                    models.Q(("kind", "refund"), ("refund__isnull", False)),
                    models.Q(("dispute__isnull", False), ("kind", "dispute")),
                    models.Q(("kind", "deposit"), ("processor_payout__isnull", False)),
                    models.Q(("kind", "payout"), ("payout__isnull", False)),
                    _connector="OR",
                ),
                name="reconciliation_match_about_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="source",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("gateway__isnull", False), ("kind", "processor_report")),
                    models.Q(("gateway__isnull", True), ("kind", "bank_statement")),
                    _connector="OR",
                ),
                name="reconciliation_source_gateway_iff_processor",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourceaccount",
            constraint=models.UniqueConstraint(
                fields=("source", "identifier", "currency"),
                name="reconciliation_sourceaccount_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementfile",
            constraint=models.UniqueConstraint(
                fields=("source", "sha256"), name="reconciliation_file_loaded_once"
            ),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=models.Index(fields=["reference"], name="reconciliation_line_reference"),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=models.Index(
                fields=["source_account", "booked_on"], name="reconciliation_line_by_day"
            ),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=models.Index(
                condition=models.Q(("is_booked", False), ("kind__in", ["payout", "fee"])),
                fields=["id"],
                name="reconciliation_line_unbooked",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.UniqueConstraint(
                fields=("source_account", "identity", "occurrence"),
                name="reconciliation_line_loaded_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementline",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="matchline",
            constraint=models.UniqueConstraint(
                fields=("match", "line"), name="reconciliation_matchline_once"
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(fields=["type", "status"], name="reconciliation_disc_by_type"),
        ),
        migrations.AddConstraint(
            model_name="discrepancy",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["OPEN", "RESOLVED"])),
                name="reconciliation_disc_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="discrepancy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolved_at__isnull", True), ("status", "OPEN")),
                    models.Q(("resolved_at__isnull", False), ("status", "RESOLVED")),
                    _connector="OR",
                ),
                name="reconciliation_disc_resolved_at_iff",
            ),
        ),
    ]
