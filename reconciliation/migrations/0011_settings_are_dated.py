"""Tolerances and sources have versions with a day, a name and a reason."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0008_keys_that_triggers_prove"),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchingTolerance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valid_from", models.DateField(help_text="Runs of this day and later use it.")),
                (
                    "fx_tolerance_basis_points",
                    models.PositiveIntegerField(
                        default=0, help_text="How far a conversion may be off the reference rate."
                    ),
                ),
                (
                    "deposit_days",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Business days from a payout row to its bank deposit."
                    ),
                ),
                ("set_by", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tolerances",
                        to="reconciliation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "-valid_from", "-id"],
                "permissions": [("set_matchingtolerance", "Can set how far reports may be off")],
                "indexes": [
                    models.Index(
                        fields=["source", "-valid_from", "-id"], name="reconciliation_tolerance_now"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 1.")),
                ("terms", models.JSONField(help_text="The fields of the source.")),
                ("set_by", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="reconciliation.source",
                    ),
                ),
            ],
            options={
                "ordering": ["source", "-number"],
                "permissions": [("define_source", "Can change how a source's files are read")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "number"), name="reconciliation_sourceversion_unique"
                    )
                ],
            },
        ),
        run_sql_file(__file__),
        migrations.RemoveField(
            model_name="source",
            name="deposit_days",
        ),
        migrations.RemoveField(
            model_name="source",
            name="fx_tolerance_basis_points",
        ),
    ]
