import django.db.models.deletion
from django.db import migrations, models

from ledger.sql.migrations import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0002_journal_is_append_only"),
        ("payments", "0006_lease_beside_due_at"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="feeplan",
            options={"ordering": ["merchant", "currency", "method", "valid_from"]},
        ),
        migrations.RemoveConstraint(model_name="feeplan", name="payments_feeplan_one_per_day"),
        migrations.AddField(
            model_name="dispute",
            name="won_at",
            field=models.DateTimeField(help_text="When the money came back.", null=True),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="dispute_fee",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="When a payment is disputed, in minor units; kept whoever wins.",
            ),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="maximum",
            field=models.PositiveBigIntegerField(
                blank=True, help_text="At most this, in minor units; empty: no limit.", null=True
            ),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="method",
            field=models.CharField(
                blank=True,
                help_text='How the payer pays: "visa". Empty: any other way.',
                max_length=40,
            ),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="minimum",
            field=models.PositiveBigIntegerField(
                default=0, help_text="At least this, in minor units."
            ),
        ),
        migrations.AddField(
            model_name="feeplan",
            name="refund_policy",
            field=models.CharField(
                choices=[("none", "None"), ("proportional", "Proportional"), ("full", "Full")],
                default="none",
                help_text="What of the fee is given back when a payment is refunded.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="fee_plan",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="What the fee comes from, and what refunds and disputes go by.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="payments.feeplan",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="fee_returned",
            field=models.BigIntegerField(
                default=0, help_text="Of our fee, given back to the merchant with it; minor units."
            ),
        ),
        run_sql_file(__file__),
        migrations.AddConstraint(
            model_name="dispute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "WON"), ("won_at__isnull", False)),
                    models.Q(models.Q(("status", "WON"), _negated=True), ("won_at__isnull", True)),
                    _connector="OR",
                ),
                name="payments_dispute_won_at_iff_won",
            ),
        ),
        migrations.AddConstraint(
            model_name="feeplan",
            constraint=models.UniqueConstraint(
                fields=("merchant", "currency", "method", "valid_from"),
                name="payments_feeplan_one_per_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="feeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("basis_points__lte", 10000)),
                name="payments_feeplan_at_most_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="feeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("maximum__isnull", True),
                    ("minimum__lte", models.F("maximum")),
                    _connector="OR",
                ),
                name="payments_feeplan_minimum_within_maximum",
            ),
        ),
        migrations.AddConstraint(
            model_name="feeplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("refund_policy__in", ["none", "proportional", "full"])),
                name="payments_feeplan_refund_policy_known",
            ),
        ),
    ]
