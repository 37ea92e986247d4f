"""Fees of many matches are one entry. What was posted match by match stays as it is."""

import django.db.models.deletion
from django.db import migrations, models

import reconciliation.models.fee_groups
from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0016_matches_have_their_line"),
    ]

    operations = [
        migrations.CreateModel(
            name="FeeGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=reconciliation.models.fee_groups.fee_group_id,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("booked_on", models.DateField()),
                (
                    "first_match",
                    models.BigIntegerField(help_text="Id; the match may be undone by now."),
                ),
                ("last_match", models.BigIntegerField()),
                ("match_count", models.PositiveIntegerField(help_text="As it was posted.")),
                ("charged", models.BigIntegerField(help_text="Minor units, as it was posted.")),
                (
                    "given_back",
                    models.BigIntegerField(
                        help_text="Sum of the negative fees, as a positive amount."
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_groups",
                        to="reconciliation.reconciliationrun",
                    ),
                ),
                (
                    "source_account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fee_groups",
                        to="reconciliation.sourceaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("run", "source_account", "booked_on", "last_match"),
                        name="reconciliation_feegroup_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_match__lte", models.F("last_match")), ("match_count__gt", 0)
                        ),
                        name="reconciliation_feegroup_of_matches",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("charged__gte", 0),
                            ("given_back__gte", 0),
                            models.Q(("charged__gt", 0), ("given_back__gt", 0), _connector="OR"),
                        ),
                        name="reconciliation_feegroup_of_amounts",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="undonematch",
            name="match_number",
            field=models.BigIntegerField(
                help_text="Id that the match had; empty: undone before that was kept.", null=True
            ),
        ),
        migrations.AddField(
            model_name="undonematch",
            name="fee_group",
            field=models.ForeignKey(
                help_text="Whose entry has the line's fee; an entry of its own took it back.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="undone_matches",
                to="reconciliation.feegroup",
            ),
        ),
        run_sql_file(__file__),
    ]
