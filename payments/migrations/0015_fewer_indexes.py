"""References are found by the index that keeps them unique, and old keys by their ids."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0014_events_are_found_and_seen_in_order"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="payment", name="payments_payment_reference_unique"),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("reference", "merchant"), name="payments_payment_reference_unique"
            ),
        ),
        migrations.RemoveIndex(model_name="payment", name="payments_payment_reference"),
        migrations.RemoveIndex(model_name="idempotencykey", name="payments_idempotency_by_age"),
    ]
