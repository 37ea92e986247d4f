"""Make the database refuse a statement line that is matched for more than it says."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_initial")]
    operations = [run_sql_file(__file__)]
