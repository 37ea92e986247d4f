"""The audit trail says from where something was done, and is found by who, what and when."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0008_accounts_can_be_frozen"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditevent",
            options={
                "ordering": ["-id"],
                "permissions": [("export_auditevent", "Can export the audit trail")],
            },
        ),
        migrations.AddField(
            model_name="auditevent",
            name="address",
            field=models.CharField(
                blank=True, db_default="", help_text="Where that request came from.", max_length=45
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="user_agent",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="What the request said its program was.",
                max_length=200,
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor_label", "id"], name="ledger_auditevent_by_actor"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["action", "id"], name="ledger_auditevent_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["created_at"], name="ledger_auditevent_by_time"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("action__in", ["sign_in.failed", "second_factor.failed"])),
                fields=["address", "id"],
                name="ledger_auditevent_guesses",
            ),
        ),
    ]
