"""Refuse entries in closed periods and spending what is held; declare keys the triggers prove."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_holds_periods_and_seals")]
    operations = [run_sql_file(__file__)]
