"""What discrepancies point at is proved in one pass per statement; their indexes are lighter."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_fee_plans_say_why"),
        ("reconciliation", "0011_settings_are_dated"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="discrepancy",
            name="dispute",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="payments.dispute",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="line",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="reconciliation.statementline",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="opened_by",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="opened",
                to="reconciliation.reconciliationrun",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="payment",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="payments.payment",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="processor_payout",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="reconciliation.processorpayout",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="refund",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="payments.refund",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="resolved_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="resolved",
                to="reconciliation.reconciliationrun",
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="discrepancies",
                to="reconciliation.source",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("refund__isnull", False)),
                fields=["refund"],
                name="reconciliation_disc_refund",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("dispute__isnull", False)),
                fields=["dispute"],
                name="reconciliation_disc_dispute",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("processor_payout__isnull", False)),
                fields=["processor_payout"],
                name="reconciliation_disc_processo",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("line__isnull", False)),
                fields=["line"],
                name="reconciliation_disc_line",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("owner__isnull", False)),
                fields=["owner"],
                name="reconciliation_disc_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                condition=models.Q(("resolved_by__isnull", False)),
                fields=["resolved_by"],
                name="reconciliation_disc_resolved",
            ),
        ),
        migrations.AddIndex(
            model_name="statementline",
            index=models.Index(
                condition=models.Q(("kind__in", ["payout", "dispute", "dispute_reversal"])),
                fields=["source_account"],
                name="reconciliation_line_no_charge",
            ),
        ),
        run_sql_file(__file__),
    ]
