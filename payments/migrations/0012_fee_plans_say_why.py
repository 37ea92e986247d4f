"""Fee plans say who set them and why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_deliveries_by_endpoint")]

    operations = [
        migrations.AlterModelOptions(
            name="feeplan",
            options={
                "ordering": ["merchant", "currency", "method", "valid_from"],
                "permissions": [("set_feeplan", "Can set what merchants are charged")],
            },
        ),
        migrations.AddField(
            model_name="feeplan",
            name="reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=500),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="set_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
    ]
