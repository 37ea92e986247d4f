"""Find payments by the name the gateway gave them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0003_people_log_in"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("gateway_reference", ""), _negated=True),
                fields=["gateway", "gateway_reference"],
                name="payments_payment_by_gateway",
            ),
        ),
    ]
