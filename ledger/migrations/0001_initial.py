"""Accounts, balances, journal entries and postings."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import ledger.models.accounts
import ledger.models.journal


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
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
            ],
            options={
                "ordering": ["owner", "code"],
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
            ],
            options={
                "ordering": ["-id"],
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
            ],
            options={
                "verbose_name_plural": "journal entries",
                "ordering": ["-id"],
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
                (
                    "balance_after",
                    models.BigIntegerField(help_text="Of the account, by its normal side."),
                ),
            ],
            options={
                "ordering": ["entry_id", "position"],
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
            ],
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                fields=("owner", "code"), name="ledger_account_code_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("type__in", ["asset", "liability", "equity", "income", "expense"])
                ),
                name="ledger_account_type_known",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["subject"], name="ledger_auditevent_by_subject"),
        ),
        migrations.AddField(
            model_name="journalentry",
            name="reverses",
            field=models.OneToOneField(
                blank=True,
                help_text="The entry this one undoes; each at most once.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversed_by",
                to="ledger.journalentry",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("credits__gte", 0), ("debits__gte", 0)),
                name="ledger_balance_totals_positive",
            ),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["reference"], name="ledger_entry_by_reference"),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(
                fields=("public_id",), name="ledger_entry_public_id_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.UniqueConstraint(
                fields=("idempotency_key",), name="ledger_entry_once_per_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="journalentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("posting_count__gte", 2)), name="ledger_entry_two_postings"
            ),
        ),
        migrations.AddIndex(
            model_name="posting",
            index=models.Index(fields=["account", "entry"], name="ledger_posting_by_account"),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="ledger_posting_amount_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ["debit", "credit"])),
                name="ledger_posting_direction_known",
            ),
        ),
    ]
