"""Make the database refuse unbalanced, incomplete or changed entries and broken floors."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [run_sql_file(__file__)]
