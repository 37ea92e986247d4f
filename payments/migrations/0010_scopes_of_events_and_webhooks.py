import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_webhooks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("payments:read", "Payments Read"),
                        ("payments:write", "Payments Write"),
                        ("refunds:write", "Refunds Write"),
                        ("accounts:read", "Accounts Read"),
                        ("accounts:write", "Accounts Write"),
                        ("reports:read", "Reports Read"),
                        ("events:read", "Events Read"),
                        ("webhooks:write", "Webhooks Write"),
                        ("keys:write", "Keys Write"),
                        ("operator", "Operator"),
                    ],
                    max_length=40,
                ),
                size=None,
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["created_at"], name="payments_event_by_time"
            ),
        ),
    ]
