"""Batches and payouts that are on their way are found among all there ever were."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("settlements", "0007_each_step_its_own_permission"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="settlementbatch",
            index=models.Index(
                condition=models.Q(("status__in", ["OPEN", "FAILED"])),
                fields=["status", "currency"],
                name="settlements_batch_on_its_way",
            ),
        ),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(fields=["status", "paid_on"], name="settlements_payout_stages"),
        ),
    ]
