"""A file read once more, with what people wrote in place of its bad lines."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from django.utils import timezone

from ledger import sql
from reconciliation.importers.records import ImportRefused
from reconciliation.models import RejectedLine, StatementFile
from reconciliation.physical_lines import with_lines_replaced

DEFAULT_ENCODING = "cp1252"
Resolution = RejectedLine.Resolution


@dataclass(frozen=True, slots=True)
class Correction:
    """`text` is read in place of `raw`. `is_loaded`: that was so the last time already."""

    line_id: int
    line_no: int
    raw: str
    text: str
    is_loaded: bool


def corrections_of(file: StatementFile) -> list[Correction]:
    """What to read in place of the file's own lines."""
    lines = file.rejected.filter(resolution__in=["", Resolution.LOADED]).exclude(correction="")
    return [
        Correction(line.pk, line.line_no, line.raw, line.correction, bool(line.resolution))
        for line in lines.order_by("line_no", "pk")
    ]


def encoding_option(file: StatementFile) -> str:
    """What the source is configured to write in, where the text itself does not tell."""
    options = file.source.options.get(file.format, {})
    return str(options.get("encoding", DEFAULT_ENCODING))


@contextmanager
def corrected(
    stream: BinaryIO, file: StatementFile, corrections: Iterable[Correction]
) -> Iterator[BinaryIO]:
    """The file's text as people corrected it. Refuses `not_correctable`."""
    replaced = {each.line_no: (each.raw, each.text) for each in corrections}
    if not replaced:
        yield stream
        return
    with with_lines_replaced(stream, replaced, encoding=encoding_option(file)) as copy:
        yield copy


def settle_corrections(
    file: StatementFile, corrections: list[Correction], *, before: int, staged: int, new: int
) -> None:
    """Note which corrections could be read; the others wait for a person again.

    The file had `before` lines and now has `staged`, of which `new` came to be. Refuses
    `correction_spreads` if anything changed but the corrected lines.
    """
    rows = sql.rows(
        "reconciliation",
        "read_staged_rejections",
        file_id=file.pk,
        line_nos=[each.line_no for each in corrections],
    )
    still_bad = {row.line_no: row.reason for row in rows if row.line_no}
    (total,) = {row.total for row in rows} or {0}
    read = [each for each in corrections if each.line_no not in still_bad]
    fixed = [each for each in read if not each.is_loaded]
    expected = (before + len(fixed), file.rejected_count - len(read))
    if (staged, total) != expected or new > len(fixed):
        raise ImportRefused(
            "correction_spreads",
            "with it other lines read differently too; was the source configured anew?",
        )
    RejectedLine.objects.filter(pk__in=[each.line_id for each in fixed]).update(
        resolution=Resolution.LOADED, resolved_at=timezone.now()
    )
    for each in corrections:
        if each.line_no in still_bad:
            withdraw_corrections([each], still_bad[each.line_no])


def withdraw_corrections(corrections: Iterable[Correction], why: str) -> None:
    """Lines whose correction could not be read wait for a person again."""
    waiting = [each.line_id for each in corrections if not each.is_loaded]
    RejectedLine.objects.filter(pk__in=waiting).update(
        correction="", resolution_reason=f"The correction is not used: {why}"[:500]
    )
