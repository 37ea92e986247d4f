"""What the last tie-out of each account came to is kept."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0013_each_step_its_own_permission"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("known_at", models.DateTimeField()),
                ("book", models.BigIntegerField()),
                ("statement", models.BigIntegerField()),
                ("explained", models.BigIntegerField(help_text="By open items.")),
                ("open_items", models.PositiveIntegerField()),
                (
                    "source_account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proof",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_items__gt", 0), ("explained", 0), _connector="OR"
                        ),
                        name="reconciliation_accountproof_items_explain",
                    )
                ],
            },
        ),
    ]
