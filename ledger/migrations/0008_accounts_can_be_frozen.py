"""Freeze accounts; the database refuses postings to them."""

from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0007_checks_look_in_public_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="is_frozen",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Nothing may be posted to it until it is thawed.",
            ),
        ),
        run_sql_file(__file__),
    ]
