"""Find events by type and by hour, know which ids are still being written, and find what waits."""

import datetime

import django.db.models.functions.datetime
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0013_each_step_its_own_permission"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["merchant", "type", "id"], name="payments_event_by_type"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                django.db.models.functions.datetime.TruncHour("created_at", tzinfo=datetime.UTC),
                models.F("id"),
                name="payments_event_by_hour",
            ),
        ),
        migrations.RemoveIndex(model_name="event", name="payments_event_by_time"),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", True), ("status", "PENDING")),
                fields=["endpoint"],
                name="payments_delivery_set_aside",
            ),
        ),
        run_sql_file(__file__),
    ]
