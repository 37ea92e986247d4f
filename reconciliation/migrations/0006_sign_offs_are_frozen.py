"""Make the database refuse to change what was signed, and remember ends that were taken back."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0005_work_on_discrepancies_and_sign_offs")]
    operations = [run_sql_file(__file__)]
