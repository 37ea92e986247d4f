"""Whose a payment or an idempotency key is, is proved once per statement, not row by row."""

import django.db.models.deletion
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0015_fewer_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="payment",
            name="merchant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payments.merchant",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="gateway",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payments.gateway",
            ),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="merchant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="idempotency_keys",
                to="payments.merchant",
            ),
        ),
        run_sql_file(__file__),
    ]
