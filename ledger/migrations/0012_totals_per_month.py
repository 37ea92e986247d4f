"""Day totals are added up per month, so that a trial balance of the past reads few of them."""

import django.db.models.deletion
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0011_changes_take_two_and_the_trail_is_sealed"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="daytotal",
            index=models.Index(fields=["effective_on", "posted_on"], name="ledger_daytotal_by_day"),
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
            options={"ordering": ["account_id", "effective_month", "posted_month"]},
        ),
        run_sql_file(__file__),
    ]
