"""Each step of the back office has its own permission."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0012_findings_are_proved_in_one_pass"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="discrepancy",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("assign_discrepancy", "Can say who sees to a discrepancy"),
                    ("resolve_discrepancy", "Can end a discrepancy without an entry"),
                    ("reopen_discrepancy", "Can open a discrepancy again"),
                ],
                "verbose_name_plural": "discrepancies",
            },
        ),
        migrations.AlterModelOptions(
            name="matchingtolerance",
            options={
                "ordering": ["source", "-valid_from", "-id"],
                "permissions": [
                    ("request_matchingtolerance", "Can ask for another tolerance of matching"),
                    (
                        "approve_matchingtolerance",
                        "Can approve tolerances that somebody else asked for",
                    ),
                    ("refuse_matchingtolerance", "Can refuse tolerances"),
                    ("withdraw_matchingtolerance", "Can withdraw tolerances that wait"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="rejectedline",
            options={
                "ordering": ["id"],
                "permissions": [
                    ("correct_rejectedline", "Can correct lines that cannot be read"),
                    ("discard_rejectedline", "Can leave out lines that cannot be read"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="statementfile",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("upload_statementfile", "Can send statement files"),
                    ("retry_statementfile", "Can have refused statement files read once more"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="writeoff",
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("approve_writeoff", "Can approve write-offs that somebody else asked for"),
                    ("refuse_writeoff", "Can refuse write-offs"),
                    ("withdraw_writeoff", "Can withdraw write-offs that wait"),
                    ("reverse_writeoff", "Can have the entry of a write-off undone"),
                ],
            },
        ),
    ]
