"""What posting asks and writes is two functions, whose plans are kept and always by index."""

from django.db import migrations

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_saved_views")]
    operations = [run_sql_file(__file__)]
