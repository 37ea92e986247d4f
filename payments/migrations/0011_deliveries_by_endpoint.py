"""Find what waits for an endpoint, and what is in hand, however long the queue of another one is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0010_scopes_of_events_and_webhooks"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)),
                fields=["endpoint", "due_at", "id"],
                name="payments_delivery_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=models.Q(("holder__isnull", False)),
                fields=["endpoint"],
                name="payments_delivery_in_hand",
            ),
        ),
    ]
