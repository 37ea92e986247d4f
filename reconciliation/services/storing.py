"""A file that was read becomes true: refused, opened, or its lines visible; in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.states import move
from payments import doorbell
from reconciliation.archives import Member
from reconciliation.importers.records import NOT_BOOKED, ImportRefused
from reconciliation.models import (
    ArchiveMember,
    RejectedLine,
    Statement,
    StatementFile,
    StatementLine,
)
from reconciliation.services.corrections import (
    Correction,
    corrections_of,
    settle_corrections,
    withdraw_corrections,
)
from reconciliation.services.openings import book_openings
from reconciliation.services.receiving import receive_statement

# Of a refused file so many of its bad lines are shown.
REFUSED_LINES_SHOWN = 1_000
# And of a loaded one all are kept.
NO_LIMIT = 2**31

# Name of the task that matches them, which is also its bell.
MATCH_ARRIVALS = "reconciliation.tasks.match_arrivals"

Status = StatementFile.Status


@dataclass(slots=True)
class Found:
    """What a file turned out to be: refused, an archive, or statements whose lines are staged."""

    format: str = ""
    refusal: ImportRefused | None = None
    members: list[Member] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    staged: int = 0
    uncounted: int = 0
    rejected: int = 0


def write_files(files: list[StatementFile], found: dict[int, Found]) -> None:
    for file in files:
        outcome = found[file.pk]
        file.due_at = file.holder = None
        file.problem = ""
        if file.loaded_at is not None:
            _write_corrected(file, outcome)
        elif outcome.refusal is not None:
            _refuse(file, outcome)
        elif outcome.members:
            _write_members(file, outcome)
        else:
            _load(file, outcome)
        file.save()
        _forget_staged_lines(file)


def _forget_staged_lines(file: StatementFile) -> None:
    sql.execute("reconciliation", "forget_staged_lines", file_id=file.pk)


def _refuse(file: StatementFile, found: Found) -> None:
    assert found.refusal is not None
    move(file, Status.REFUSED)
    file.format = found.format
    file.refusal_code = found.refusal.code[:60]
    file.refusal = found.refusal.message[:500].replace("\0", "\ufffd")
    file.rejected_count = found.rejected
    _keep_rejections(file, limit=REFUSED_LINES_SHOWN)


def _keep_rejections(file: StatementFile, *, limit: int) -> None:
    sql.execute(
        "reconciliation",
        "store_staged_rejections",
        file_id=file.pk,
        not_booked=NOT_BOOKED,
        limit=limit,
    )


def _write_members(file: StatementFile, found: Found) -> None:
    """Each file of an archive is a file of its own, and loaded like any other."""
    actor = Actor.system(f"archive {file.public_id}")
    for number, member in enumerate(found.members, start=1):
        with member.content as content:
            received = receive_statement(
                file.source, content, name=member.name, channel=file.channel, actor=actor
            )
        ArchiveMember.objects.create(
            archive=file, number=number, name=received.file.name, file=received.file
        )
    move(file, Status.LOADED)
    file.format, file.loaded_at = found.format, timezone.now()


def _load(file: StatementFile, found: Found) -> None:
    file.format, file.loaded_at = found.format, timezone.now()
    file.rejected_count, file.uncounted_count = found.rejected, found.uncounted
    _announce(file, _store_lines(file, found))
    _keep_rejections(file, limit=NO_LIMIT)
    _finish(file)


def _write_corrected(file: StatementFile, found: Found) -> None:
    """The file once more, with what people wrote in place of its bad lines, or none of that."""
    refusal = found.refusal
    if refusal is None:
        before = (file.line_count, file.known_count)
        try:
            with transaction.atomic():
                new = _store_lines(file, found, corrected_at=timezone.now())
                settle_corrections(
                    file, found.corrections, before=before[0], staged=found.staged, new=new
                )
                _announce(file, new)
        except ImportRefused as problem:
            refusal = problem
            file.line_count, file.known_count = before
    if refusal is not None:
        withdraw_corrections(found.corrections, f"{refusal.code}: {refusal.message}")
    _finish(file)


def _announce(file: StatementFile, new: int) -> None:
    """New lines are matched at once; if nobody hears the bell, when workers look by themselves."""
    if new:
        file.has_new_lines = True
        transaction.on_commit(partial(doorbell.ring, MATCH_ARRIVALS))


def _store_lines(file: StatementFile, found: Found, *, corrected_at: datetime | None = None) -> int:
    """Make the staged lines visible; returns how many there were not before."""
    sql.execute("reconciliation", "take_more_memory")
    (repetitions,) = sql.rows("reconciliation", "look_for_repetitions", file_id=file.pk)
    new = sql.execute(
        "reconciliation",
        "store_staged_lines",
        file_id=file.pk,
        has_repetitions=repetitions.found,
        corrected=[correction.line_no for correction in found.corrections],
        corrected_at=corrected_at,
        repeated=found.repeated,
    )
    known = {}
    if new < found.staged:
        rows = sql.rows("reconciliation", "count_known_lines", file_id=file.pk)
        known = {(row.statement_no, row.source_account_id): row.known for row in rows}
    for statement in found.statements:
        place = (statement.number, statement.source_account_id)
        statement.known_count = known.get(place, 0)
    Statement.objects.bulk_create(
        found.statements,
        update_conflicts=True,
        unique_fields=["file", "number", "source_account"],
        update_fields=[
            *("first_day", "last_day", "line_count", "known_count", "net", "contradictions")
        ],
    )
    file.line_count = found.staged
    file.known_count = found.staged - StatementLine.objects.filter(file=file).count()
    book_openings(found.statements)
    return new


def _finish(file: StatementFile) -> None:
    has_open_lines = RejectedLine.objects.filter(file=file, resolution="").exists()
    move(file, Status.LOADED_WITH_ERRORS if has_open_lines else Status.LOADED)
    file.bytes_read = file.size


@transaction.atomic
def give_up_file(file: StatementFile, actor: Actor) -> None:
    """A file that nobody could read is refused; one that was loaded stays as it was."""
    held = StatementFile.objects.select_for_update().get(pk=file.pk)
    if held.loaded_at is None:
        move(held, Status.REFUSED)
        held.refusal_code, held.refusal = "given_up", f"Given up by {actor}: {held.problem}"[:500]
    else:
        withdraw_corrections(corrections_of(held), f"given up by {actor}")
        _finish(held)
    held.save()
    _forget_staged_lines(held)
