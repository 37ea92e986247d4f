"""No temporary table can stand in for one the checks look into."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_seals_mark_their_entries")]
    operations = [run_sql_file(__file__)]
