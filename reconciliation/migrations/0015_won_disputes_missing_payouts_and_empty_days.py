"""Lines win disputes, payouts of ours can be missing, and a file without a line is of its day."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from ledger.sql.migrations import run_sql_file

KINDS = [
    ("payment", "Payment"),
    ("refund", "Refund"),
    ("dispute", "Dispute"),
    ("won_dispute", "Won Dispute"),
    ("deposit", "Deposit"),
    ("payout", "Payout"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_fee_plans_say_why"),
        ("reconciliation", "0014_proofs_are_kept"),
        ("settlements", "0006_runs_begin_where_work_is_left"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="match", name="reconciliation_match_about_its_kind"),
        migrations.RemoveConstraint(
            model_name="statementfile", name="reconciliation_file_loaded_once"
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="payout",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="settlements.payout",
            ),
        ),
        migrations.AddField(
            model_name="match",
            name="won_dispute",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="won_match",
                to="payments.dispute",
            ),
        ),
        migrations.AddField(
            model_name="statementfile",
            name="empty_day",
            field=models.DateField(
                blank=True,
                help_text=(
                    "The day in its name, if it has no line that would say what day it is about."
                ),
                null=True,
            ),
        ),
        # A trigger names the column: the SQL file widens it.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="match",
                    name="kind",
                    field=models.CharField(choices=KINDS, max_length=11),
                ),
            ]
        ),
        migrations.AlterField(
            model_name="undonematch",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=11),
        ),
        migrations.AlterField(
            model_name="matchingtolerance",
            name="deposit_days",
            field=models.PositiveSmallIntegerField(
                default=1,
                help_text=(
                    "Business days from a payout row, or of a bank: from the day our payout is to"
                    " leave, to the bank's entry."
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=Q(("payout__isnull", False)),
                fields=["payout"],
                name="reconciliation_disc_payout",
            ),
        ),
        migrations.AddConstraint(
            model_name="match",
            constraint=models.CheckConstraint(
                condition=Q(
                    Q(("kind", "payment"), ("payment__isnull", False)),
                    Q(("kind", "refund"), ("refund__isnull", False)),
                    Q(("dispute__isnull", False), ("kind", "dispute")),
                    Q(("kind", "won_dispute"), ("won_dispute__isnull", False)),
                    Q(("kind", "deposit"), ("processor_payout__isnull", False)),
                    Q(("kind", "payout"), ("payout__isnull", False)),
                    _connector="OR",
                ),
                name="reconciliation_match_about_its_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="statementfile",
            constraint=models.UniqueConstraint(
                fields=("source", "sha256", "empty_day"),
                name="reconciliation_file_loaded_once",
                nulls_distinct=False,
            ),
        ),
        run_sql_file(__file__),
    ]
