"""Each step of the back office has its own permission."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("settlements", "0006_runs_begin_where_work_is_left"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="adjustment",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("request_adjustment", "Can ask for a merchant to be owed more or less"),
                    ("approve_adjustment", "Can approve adjustments that somebody else asked for"),
                    ("refuse_adjustment", "Can refuse adjustments"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="merchantbankaccount",
            options={
                "ordering": ["-id"],
                "permissions": [
                    (
                        "request_merchantbankaccount",
                        "Can ask for a merchant to be paid to another account",
                    ),
                    ("verify_merchantbankaccount", "Can verify a merchant's bank account"),
                    ("refuse_merchantbankaccount", "Can refuse a merchant's bank account"),
                    ("see_full_iban", "Can see whole account numbers"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="payoutfile",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("make_payoutfile", "Can make files of approved payouts"),
                    ("withdraw_payoutfile", "Can withdraw payout files that nobody has taken"),
                    ("download_payoutfile", "Can take payout files to the bank"),
                    ("import_statusreport", "Can load the bank's answers to payout files"),
                ],
            },
        ),
    ]
