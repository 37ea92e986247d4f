"""Files become work that waits in a table; their bytes move into chunks."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.sql.migrations import run_sql_file
from payments.work import due_index

NEW_FIELDS = {
    "statementfile": {
        "due_at": models.DateTimeField(blank=True, null=True),
        "attempts": models.PositiveIntegerField(db_default=0, default=0),
        "fence": models.PositiveIntegerField(db_default=0, default=0),
        "holder": models.BigIntegerField(
            blank=True, help_text="Heartbeat of the worker that has it; 0: has none.", null=True
        ),
        "leased_until": models.DateTimeField(
            blank=True,
            help_text="Until when the holder has it; means nothing without one.",
            null=True,
        ),
        "deaths": models.PositiveIntegerField(
            db_default=0, default=0, help_text="How many workers died while they held it."
        ),
        "failures": models.PositiveIntegerField(
            db_default=0, default=0, help_text="How many attempts ended in an error of ours."
        ),
        "problem": models.CharField(
            blank=True, db_default="", default="", help_text="The last.", max_length=500
        ),
        "channel": models.CharField(
            choices=[
                ("command", "Command"),
                ("api", "Api"),
                ("admin", "Admin"),
                ("inbox", "Inbox"),
            ],
            default="command",
            max_length=7,
        ),
        "received_at": models.DateTimeField(db_default=Now()),
        "status": models.CharField(
            choices=[
                ("RECEIVED", "Received"),
                ("LOADING", "Loading"),
                ("LOADED", "Loaded"),
                ("LOADED_WITH_ERRORS", "Loaded With Errors"),
                ("REFUSED", "Refused"),
            ],
            default="RECEIVED",
            max_length=18,
        ),
        "bytes_read": models.PositiveBigIntegerField(
            default=0, help_text="Of its size, while it loads."
        ),
        "lines_read": models.PositiveIntegerField(default=0),
        "uncounted_count": models.PositiveIntegerField(
            default=0,
            help_text="Lines that only announce or detail what a statement says: no movement.",
        ),
        "refusal_code": models.CharField(blank=True, default="", max_length=60),
        "refusal": models.CharField(blank=True, default="", max_length=500),
    },
    "statement": {
        "number": models.PositiveIntegerField(default=1, help_text="Place in its file, from 1."),
        "sequence": models.CharField(
            blank=True, default="", help_text="The bank's own numbering.", max_length=40
        ),
        "known_count": models.PositiveIntegerField(
            default=0, help_text="Lines earlier files had brought already."
        ),
        "contradictions": models.JSONField(
            blank=True,
            default=list,
            help_text="Where it does not agree with itself: code and message.",
        ),
    },
    "statementline": {
        "corrected_at": models.DateTimeField(
            help_text="When it came to be, if that was after its file was loaded.", null=True
        ),
    },
    "rejectedline": {
        "code": models.CharField(
            default="", help_text="What is wrong, for machines.", max_length=60
        ),
        "correction": models.TextField(
            blank=True, default="", help_text="What is read in its place."
        ),
        "resolution": models.CharField(
            blank=True,
            choices=[
                ("NOT_BOOKED", "Not Booked"),
                ("LOADED", "Loaded"),
                ("DISCARDED", "Discarded"),
            ],
            default="",
            max_length=10,
        ),
        "resolved_by": models.CharField(
            blank=True, default="", help_text="Who corrected or discarded.", max_length=120
        ),
        "resolution_reason": models.CharField(blank=True, default="", max_length=500),
        "resolved_at": models.DateTimeField(blank=True, null=True),
    },
    "source": {
        "on_bad_line": models.CharField(
            blank=True,
            choices=[("atomic", "Atomic"), ("quarantine", "Quarantine")],
            default="",
            help_text="Empty: atomic for a bank, quarantine for a processor.",
            max_length=10,
        ),
    },
}
ALREADY_TEXT = {
    "refusal_code",
    "refusal",
    "sequence",
    "code",
    "correction",
    "resolution",
    "resolved_by",
    "resolution_reason",
}


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_work_attempts_jobs_and_events"),
        ("reconciliation", "0003_source_options"),
    ]
    operations = [
        migrations.RenameField("statementfile", "loaded_by", "received_by"),
        migrations.AlterField(
            "statementfile",
            "loaded_at",
            models.DateTimeField(blank=True, help_text="When its lines came to be.", null=True),
        ),
        migrations.AlterField(
            "statementfile",
            "format",
            models.CharField(
                blank=True,
                help_text="Told from its content; zip and gzip are archives.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            "rejectedline",
            "raw",
            models.TextField(
                blank=True, help_text="As it stands in the file, up to 10,000 characters."
            ),
        ),
        *(
            migrations.AddField(model, name, field, preserve_default=name not in ALREADY_TEXT)
            for model, fields in NEW_FIELDS.items()
            for name, field in fields.items()
        ),
        migrations.CreateModel(
            name="StatementFileChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="From 0.")),
                ("content", models.BinaryField()),
                (
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chunks",
                        to="reconciliation.statementfile",
                    ),
                ),
            ],
            options={
                "ordering": ["file", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("file", "number"), name="reconciliation_chunk_once_per_place"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchiveMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(help_text="Place in the archive, from 1.")),
                ("name", models.CharField(max_length=255)),
                (
                    "archive",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="reconciliation.statementfile",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="archives",
                        to="reconciliation.statementfile",
                    ),
                ),
            ],
            options={
                "ordering": ["archive", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("archive", "number"), name="reconciliation_member_once_per_place"
                    )
                ],
            },
        ),
        run_sql_file(__file__),
        migrations.RemoveField("statementfile", "content"),
        migrations.AlterModelOptions(
            "statementfile",
            {
                "ordering": ["-id"],
                "permissions": [("upload_statementfile", "Can send statement files")],
            },
        ),
        migrations.AlterModelOptions(
            "rejectedline",
            {
                "ordering": ["id"],
                "permissions": [("resolve_rejectedline", "Can correct and discard lines")],
            },
        ),
        migrations.AddIndex("statementfile", due_index("reconciliation_file_due")),
        migrations.AddIndex(
            "rejectedline",
            models.Index(
                condition=Q(resolution=""),
                fields=["file", "id"],
                name="reconciliation_rejected_open",
            ),
        ),
        migrations.AddConstraint(
            "statement",
            models.UniqueConstraint(
                fields=("file", "number", "source_account"),
                name="reconciliation_statement_once_per_place",
            ),
        ),
        migrations.AddConstraint(
            "statementfile",
            models.CheckConstraint(
                condition=Q(
                    status__in=["RECEIVED", "LOADING", "LOADED", "LOADED_WITH_ERRORS", "REFUSED"]
                ),
                name="reconciliation_file_status_known",
            ),
        ),
        migrations.AddConstraint(
            "statementfile",
            models.CheckConstraint(
                condition=Q(status__in=["RECEIVED", "LOADING"]) | Q(due_at__isnull=True),
                name="reconciliation_file_final_is_not_due",
            ),
        ),
        migrations.AddConstraint(
            "statementfile",
            models.CheckConstraint(
                condition=(Q(status="REFUSED") & ~Q(refusal_code=""))
                | (~Q(status="REFUSED") & Q(refusal_code="")),
                name="reconciliation_file_refused_iff_code",
            ),
        ),
        migrations.AddConstraint(
            "statementfile",
            models.CheckConstraint(
                condition=~Q(status__in=["LOADED", "LOADED_WITH_ERRORS"])
                | Q(loaded_at__isnull=False),
                name="reconciliation_file_loaded_at_is_there",
            ),
        ),
    ]
