"""A seal also keeps a mark of each of its entries, so that the changed one can be named."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_periods_change_by_the_rules")]
    operations = [
        migrations.AddField(
            model_name="seal",
            name="leaf_marks",
            field=models.BinaryField(
                default=b"",
                help_text="The first 8 bytes of each entry's hash: says which one a wrong root is due to.",
            ),
            preserve_default=False,
        ),
    ]
