"""Files as they arrived, byte for byte, and the lines of them that could not be read."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from ledger.ids import new_id
from payments.work import Work, due_index
from reconciliation.models.sources import Source

CHUNK_BYTES = 1 << 20


def statement_id() -> str:
    return new_id("st")


class StatementFile(Work):
    """A file as it arrived. The same bytes from one source are loaded once; without a line in
    them, once for each day that a name says.

    Its lines become visible together, in the transaction that makes it LOADED.
    """

    class Status(models.TextChoices):
        RECEIVED = "RECEIVED"  # its bytes are kept; nobody has read them yet
        LOADING = "LOADING"
        LOADED = "LOADED"
        LOADED_WITH_ERRORS = "LOADED_WITH_ERRORS"  # some of its lines wait for a person
        REFUSED = "REFUSED"  # nothing of it is visible; the same bytes may be sent again

    class Channel(models.TextChoices):
        COMMAND = "command"
        API = "api"
        ADMIN = "admin"
        INBOX = "inbox"

    TRANSITIONS = {
        Status.RECEIVED: {Status.LOADING, Status.REFUSED},
        Status.LOADING: {Status.LOADED, Status.LOADED_WITH_ERRORS, Status.REFUSED},
        Status.LOADED: set(),
        Status.LOADED_WITH_ERRORS: {Status.LOADING, Status.LOADED},
        Status.REFUSED: {Status.RECEIVED},
    }

    public_id = models.CharField(max_length=40, unique=True, default=statement_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=255, help_text="As given; never used as a path.")
    sha256 = models.CharField(max_length=64)
    empty_day = models.DateField(
        null=True,
        blank=True,
        help_text="The day in its name, if it has no line that would say what day it is about.",
    )
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    channel = models.CharField(max_length=7, choices=Channel, default=Channel.COMMAND)
    received_by = models.CharField(max_length=120)
    received_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=18, choices=Status, default=Status.RECEIVED)
    format = models.CharField(
        max_length=60, blank=True, help_text="Told from its content; zip and gzip are archives."
    )
    bytes_read = models.PositiveBigIntegerField(default=0, help_text="Of its size, while it loads.")
    lines_read = models.PositiveIntegerField(default=0)
    loaded_at = models.DateTimeField(null=True, blank=True, help_text="When its lines came to be.")
    line_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(
        default=0, help_text="Lines earlier files had brought already."
    )
    uncounted_count = models.PositiveIntegerField(
        default=0,
        help_text="Lines that only announce or detail what a statement says: no movement.",
    )
    rejected_count = models.PositiveIntegerField(default=0)
    refusal_code = models.CharField(max_length=60, blank=True)
    refusal = models.CharField(max_length=500, blank=True)
    has_new_lines = models.BooleanField(
        default=False, db_default=False, help_text="Lines that no run has looked at yet."
    )

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("upload_statementfile", "Can send statement files"),
            ("retry_statementfile", "Can have refused statement files read once more"),
        ]
        indexes = [
            due_index("reconciliation_file_due"),
            models.Index(
                fields=["id"],
                name="reconciliation_file_new_lines",
                condition=Q(has_new_lines=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "sha256", "empty_day"],
                name="reconciliation_file_loaded_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["RECEIVED", "LOADING", "LOADED", "LOADED_WITH_ERRORS", "REFUSED"]
                ),
                name="reconciliation_file_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["RECEIVED", "LOADING"]) | Q(due_at__isnull=True),
                name="reconciliation_file_final_is_not_due",
            ),
            models.CheckConstraint(
                condition=Q(status="REFUSED") & ~Q(refusal_code="")
                | ~Q(status="REFUSED") & Q(refusal_code=""),
                name="reconciliation_file_refused_iff_code",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["LOADED", "LOADED_WITH_ERRORS"])
                | Q(loaded_at__isnull=False),
                name="reconciliation_file_loaded_at_is_there",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_final(self) -> bool:
        """Whether nobody will read it unless somebody asks for it."""
        return self.status not in (self.Status.RECEIVED, self.Status.LOADING)

    @property
    def is_archive(self) -> bool:
        return self.format in ("zip", "gzip")

    @property
    def percent(self) -> int:
        """How much of it is read."""
        if self.is_final:
            return 100
        return min(100 * self.bytes_read // self.size, 99) if self.size else 0


class StatementFileChunk(models.Model):
    """A piece of a file's bytes, CHUNK_BYTES but for the last one. Never changes."""

    file = models.ForeignKey(
        StatementFile, on_delete=models.PROTECT, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField(help_text="From 0.")
    content = models.BinaryField(editable=False)

    class Meta:
        ordering = ["file", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "number"], name="reconciliation_chunk_once_per_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}:{self.number}"


class ArchiveMember(models.Model):
    """A file that came inside an archive: new with it, or there before."""

    archive = models.ForeignKey(
        StatementFile, on_delete=models.PROTECT, related_name="members", db_index=False
    )
    number = models.PositiveIntegerField(help_text="Place in the archive, from 1.")
    name = models.CharField(max_length=255)
    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="archives")

    class Meta:
        ordering = ["archive", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["archive", "number"], name="reconciliation_member_once_per_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.archive_id}:{self.name}"


class RejectedLine(models.Model):
    """A line that could not be read; kept with its number and the reason, never dropped.

    Of a loaded file it is quarantined until a person corrects it or says why it is left out. Of a
    refused file it says what to mend.
    """

    class Resolution(models.TextChoices):
        NOT_BOOKED = "NOT_BOOKED"  # the bank announces it and has not booked it: no fault
        LOADED = "LOADED"  # its correction is loaded
        DISCARDED = "DISCARDED"  # a person said why it is left out

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="rejected")
    line_no = models.PositiveIntegerField()
    code = models.CharField(max_length=60, help_text="What is wrong, for machines.")
    reason = models.CharField(max_length=255)
    raw = models.TextField(
        blank=True, help_text="As it stands in the file, up to 10,000 characters."
    )
    correction = models.TextField(blank=True, help_text="What is read in its place.")
    resolution = models.CharField(max_length=10, choices=Resolution, blank=True)
    resolved_by = models.CharField(
        max_length=120, blank=True, help_text="Who corrected or discarded."
    )
    resolution_reason = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        permissions = [
            ("correct_rejectedline", "Can correct lines that cannot be read"),
            ("discard_rejectedline", "Can leave out lines that cannot be read"),
        ]
        indexes = [
            models.Index(
                fields=["file", "id"],
                name="reconciliation_rejected_open",
                condition=Q(resolution=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file}:{self.line_no}"
