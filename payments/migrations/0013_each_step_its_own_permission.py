"""Each step of the back office has its own permission."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0012_fee_plans_say_why"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="feeplan",
            options={
                "ordering": ["merchant", "currency", "method", "valid_from"],
                "permissions": [
                    ("request_feeplan", "Can ask for other prices of a merchant"),
                    ("approve_feeplan", "Can approve prices that somebody else asked for"),
                    ("refuse_feeplan", "Can refuse prices"),
                    ("withdraw_feeplan", "Can withdraw prices that wait"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="jobrun",
            options={
                "ordering": ["-id"],
                "permissions": [("skip_jobrun", "Can skip runs of jobs")],
            },
        ),
        migrations.AlterModelOptions(
            name="parkedwork",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("ask_to_discard_parkedwork", "Can ask for parked work to be given up")
                ],
                "verbose_name_plural": "parked work",
            },
        ),
        migrations.AlterModelOptions(
            name="webhookendpoint",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("enable_webhookendpoint", "Can enable webhook endpoints"),
                    ("disable_webhookendpoint", "Can disable webhook endpoints"),
                    ("rotate_webhookendpoint", "Can give webhook endpoints another secret"),
                    ("test_webhookendpoint", "Can send tests to webhook endpoints"),
                    ("replay_webhookendpoint", "Can send past events to webhook endpoints again"),
                ],
            },
        ),
    ]
