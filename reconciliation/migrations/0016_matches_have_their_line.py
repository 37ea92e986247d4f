"""A match has its one line, and how much of it, in its own row; lines have a lighter index."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0015_won_disputes_missing_payouts_and_empty_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="match",
            name="line",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="reconciliation.statementline",
            ),
        ),
        migrations.AddField(
            model_name="match",
            name="amount",
            field=models.BigIntegerField(
                help_text="Of the line's net, minor units, signed like it.", null=True
            ),
        ),
        run_sql_file(__file__),
        migrations.AlterField(
            model_name="match",
            name="line",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="reconciliation.statementline",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="amount",
            field=models.BigIntegerField(
                help_text="Of the line's net, minor units, signed like it."
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="file",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="reconciliation.statementfile",
            ),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True,
                fields=["file"],
                name="reconciliation_line_by_file",
                pages_per_range=16,
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="MatchLine")]
        ),
    ]
