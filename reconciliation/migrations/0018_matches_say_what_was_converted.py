"""A match says whether the processor converted, so that posting need not look for it."""

from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0017_fees_are_posted_in_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="match",
            name="is_converted",
            field=models.BooleanField(
                db_default=False,
                help_text="The payment or refund is in another currency than the line's account.",
            ),
        ),
        run_sql_file(__file__),
    ]
