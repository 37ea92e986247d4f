"""Loading a file: its lines are staged piece by piece and become visible all together.

Whoever is killed leaves a file that somebody else reads again from its beginning; the result is the
same, because nothing of a file is visible before it is read to its end.
"""

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, BinaryIO, cast

from ledger import sql
from payments.services.engine import Trade, do_rows, work_off_batch
from reconciliation.archives import Member, archive_format, unpack
from reconciliation.garbage import rarely_searched
from reconciliation.importers import FORMATS, recognise
from reconciliation.importers.records import ImportRefused, Record
from reconciliation.locks import lock_lines_of, only_reader_of
from reconciliation.models import StatementFile
from reconciliation.physical_lines import HEAD_BYTES, is_of_lines, raw_lines
from reconciliation.services.corrections import DEFAULT_ENCODING, corrected, corrections_of
from reconciliation.services.empty_files import statements_without_lines
from reconciliation.services.reading import Reader
from reconciliation.services.receiving import opened, take_over
from reconciliation.services.staging import Staging
from reconciliation.services.storing import Found, write_files

Progress = Callable[[StatementFile], None]
Status = StatementFile.Status


def load_statements(limit: int = 1) -> int:
    """Load the next file that is due; returns how many there were."""
    return work_off_batch(_trade(), limit=limit)


def load_now(file: StatementFile, *, on_progress: Progress = lambda file: None) -> bool:
    """Load the file in this process, whoever began with it before.

    Returns whether it was this process that did it: not if another one is at it, or has done it.
    """
    with only_reader_of(file.pk) as is_ours:
        if not is_ours:
            return False
        take_over(file)
        if file.is_final:
            return False
        do_rows([file], _trade(on_progress))
    file.refresh_from_db()
    return True


def _trade(on_progress: Progress = lambda file: None) -> Trade[StatementFile, dict[int, Found]]:
    return Trade(
        StatementFile,
        find=partial(_read_files, on_progress),
        write=write_files,
        lock_first=_lock_lines,
        becomes={Status.RECEIVED: Status.LOADING},
        at_once=1,
    )


def _lock_lines(files: list[StatementFile]) -> None:
    for file in files:
        lock_lines_of(file.source_id)


def _read_files(on_progress: Progress, files: list[StatementFile]) -> dict[int, Found]:
    found = {}
    for file in files:
        with only_reader_of(file.pk):
            found[file.pk] = _read(file, on_progress)
    return found


@rarely_searched()
def _read(file: StatementFile, on_progress: Progress) -> Found:
    corrections = corrections_of(file)
    found = Found(corrections=corrections)
    try:
        with opened(file) as stream:
            if kind := archive_format(stream):
                found.format, found.members = kind, _members_of(stream, file.name)
                return found
            with corrected(stream, file, corrections) as text:
                _read_statements(file, text, found, on_progress)
    except ImportRefused as refusal:
        found.refusal = refusal
    return found


def _members_of(archive: BinaryIO, name: str) -> list[Member]:
    """All or none of them, each on disk."""
    with ExitStack() as taken:
        members = []
        for member in unpack(archive, name=name):
            taken.callback(member.content.close)
            members.append(member)
        if not members:
            raise ImportRefused("empty_archive", "there is no file in it")
        taken.pop_all()
    return members


def _read_statements(
    file: StatementFile, stream: BinaryIO, found: Found, on_progress: Progress
) -> None:
    source = file.source
    found.format = recognise(stream, source.formats, source.options)
    stream.seek(0)
    parse = FORMATS[found.format](stream, source.options.get(found.format, {}))
    with Staging(file, stream, on_progress) as staging:
        reader = Reader(file, found.format, staging)
        # Closed before the file is: a parser puts a reader of text around it.
        with closing(cast("Generator[Record, None, None]", parse)) as records:
            reader.read(records)
    if reader.unkept:
        _note_raw_lines(file, stream, reader.unkept, source.options.get(found.format, {}))
    found.statements, found.repeated = reader.statements, reader.repeated
    found.staged, found.uncounted = staging.staged, reader.uncounted
    found.rejected = staging.rejected
    if not (found.statements or found.staged or found.rejected):
        found.statements = statements_without_lines(file, found.format)
    if source.is_atomic:
        _refuse_contradictions(reader)


def _note_raw_lines(
    file: StatementFile, stream: BinaryIO, line_nos: list[int], options: dict[str, Any]
) -> None:
    """A parser says how a line stands in the file that it cannot read; here it could."""
    stream.seek(0)
    if not is_of_lines(stream.read(HEAD_BYTES)):
        return
    encoding = str(options.get("encoding", DEFAULT_ENCODING))
    lines = raw_lines(stream, set(line_nos), encoding=encoding)
    sql.execute(
        "reconciliation",
        "note_raw_lines",
        file_id=file.pk,
        line_nos=list(lines),
        raws=list(lines.values()),
    )


def _refuse_contradictions(reader: Reader) -> None:
    """Of a source that wants all or nothing."""
    if reader.bad:
        more = f"; {reader.bad} in all" if reader.bad > 1 else ""
        raise ImportRefused("bad_lines", f"{reader.first_bad}{more}")
    for statement in reader.statements:
        for each in statement.contradictions:
            if each["code"] == "control_total":
                name = statement.identifier or f"number {statement.number}"
                message = f"statement {name}: {each['message']}"
                raise ImportRefused("rejected_control_total", message)
