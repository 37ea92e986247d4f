"""Refuse changes of periods that break their rules; a permission for each step of closing."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_closed_periods_and_cheaper_guards")]
    operations = [
        run_sql_file(__file__),
        migrations.AlterModelOptions(
            name="accountingperiod",
            options={
                "ordering": ["-starts_at"],
                "permissions": [
                    ("close_accountingperiod", "Can close accounting periods"),
                    ("lock_accountingperiod", "Can lock accounting periods"),
                    ("request_reopening", "Can ask for an accounting period to be opened again"),
                    ("approve_reopening", "Can open an accounting period again on request"),
                ],
            },
        ),
    ]
