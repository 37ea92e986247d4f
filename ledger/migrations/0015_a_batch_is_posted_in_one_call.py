"""Balances are locked last, all of them; what nothing speaks against is posted by one function."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0014_posting_keeps_its_plans")]
    operations = [
        run_sql_file(__file__),
        migrations.RemoveField(model_name="posting", name="balance_after"),
    ]
