"""Lines that wait for a person: corrected and read again, or left out for a reason."""

from functools import partial

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.services import audit
from ledger.states import move, transition
from payments import doorbell
from reconciliation.errors import LineIsResolved, LineNotCorrectable
from reconciliation.importers.records import RAW_CHARS_MAX
from reconciliation.models import RejectedLine, StatementFile
from reconciliation.physical_lines import is_of_lines
from reconciliation.services.receiving import LOAD_STATEMENTS, first_bytes

Status = StatementFile.Status


@transaction.atomic
def correct_line(line: RejectedLine, *, text: str, actor: Actor, reason: str) -> RejectedLine:
    """Have the file read again with `text` in place of a quarantined line.

    `text` has as many lines as what it replaces. Raises LineIsResolved, LineNotCorrectable and
    ReasonMissing.
    """
    file, held = _locked(line)
    _check_correction(file, held, text)
    held.correction = text
    held.resolved_by = str(actor)[:120]
    held.resolution_reason = audit.required(reason)
    held.save(update_fields=["correction", "resolved_by", "resolution_reason"])
    audit.record(
        "rejected_line.corrected",
        file.public_id,
        actor=actor,
        reason=reason,
        before={"line_no": held.line_no, "raw": held.raw},
        after={"raw": text},
    )
    _read_again(file)
    return held


@transaction.atomic
def discard_line(line: RejectedLine, *, actor: Actor, reason: str) -> RejectedLine:
    """Leave a quarantined line out for good. Raises LineIsResolved and ReasonMissing."""
    file, held = _locked(line)
    held.resolution = RejectedLine.Resolution.DISCARDED
    held.resolved_by = str(actor)[:120]
    held.resolution_reason = audit.required(reason)
    held.resolved_at = timezone.now()
    held.save(update_fields=["resolution", "resolved_by", "resolution_reason", "resolved_at"])
    audit.record(
        "rejected_line.discarded",
        file.public_id,
        actor=actor,
        reason=reason,
        before={"line_no": held.line_no, "raw": held.raw, "reason": held.reason},
    )
    if file.status == Status.LOADING:
        _read_again(file)
    elif not file.rejected.filter(resolution="").exists():
        transition(file, Status.LOADED)
    return held


def _locked(line: RejectedLine) -> tuple[StatementFile, RejectedLine]:
    file = StatementFile.objects.select_for_update().get(pk=line.file_id)
    held = RejectedLine.objects.get(pk=line.pk)
    if held.resolution or file.loaded_at is None:
        raise LineIsResolved(held)
    return file, held


def _read_again(file: StatementFile) -> None:
    """Soon; whoever reads it already does not know of what has changed, and finds another fence."""
    if file.status != Status.LOADING:
        move(file, Status.LOADING)
    file.due_at, file.holder, file.fence = timezone.now(), None, file.fence + 1
    file.save(update_fields=["status", "due_at", "holder", "fence"])
    transaction.on_commit(partial(doorbell.ring, LOAD_STATEMENTS))


def _check_correction(file: StatementFile, line: RejectedLine, text: str) -> None:
    if not is_of_lines(first_bytes(file)) or not line.line_no:
        raise LineNotCorrectable(line, "it is no line of a text; have a corrected file sent")
    if not text.strip() or "\0" in text or len(text) > RAW_CHARS_MAX:
        raise LineNotCorrectable(line, f"write up to {RAW_CHARS_MAX} characters, and no NUL")
    if text == line.raw:
        raise LineNotCorrectable(line, "this is what stands there")
    if len(line.raw) >= RAW_CHARS_MAX:
        raise LineNotCorrectable(line, "it is too long to be kept whole")
    if len(text.splitlines()) != len(line.raw.splitlines()):
        raise LineNotCorrectable(line, "a correction has as many lines as what it replaces")
