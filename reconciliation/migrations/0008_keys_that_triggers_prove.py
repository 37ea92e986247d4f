"""What matches and lines point at is proved in one pass per statement, not row by row."""

import django.db.models.deletion
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_webhooks"),
        ("reconciliation", "0007_matching_by_people_and_at_once"),
        ("settlements", "0005_lines_are_proved_in_one_pass"),
    ]

    operations = [
        migrations.AlterField(
            model_name="match",
            name="dispute",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match",
                to="payments.dispute",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="payment",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match",
                to="payments.payment",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="payout",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match",
                to="settlements.payout",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="processor_payout",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match",
                to="reconciliation.processorpayout",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="refund",
            field=models.OneToOneField(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match",
                to="payments.refund",
            ),
        ),
        migrations.AlterField(
            model_name="match",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="matches",
                to="reconciliation.reconciliationrun",
            ),
        ),
        migrations.AlterField(
            model_name="matchline",
            name="line",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="match_lines",
                to="reconciliation.statementline",
            ),
        ),
        migrations.AlterField(
            model_name="matchline",
            name="match",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="reconciliation.match",
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="file",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="reconciliation.statementfile",
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="source_account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="reconciliation.sourceaccount",
            ),
        ),
        run_sql_file(__file__),
    ]
