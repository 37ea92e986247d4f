"""Staged lines that a reader left uncommitted are in nobody's way."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0018_matches_say_what_was_converted"),
    ]

    operations = [run_sql_file(__file__)]
