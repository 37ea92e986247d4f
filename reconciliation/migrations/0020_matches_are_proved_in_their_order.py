"""What matches are about is proved in their order, won disputes with the rest."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0019_a_vanished_reader_blocks_nobody"),
    ]

    operations = [run_sql_file(__file__)]
