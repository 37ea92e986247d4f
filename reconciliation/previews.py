"""What a file says, before anybody decides to load it: nothing of it is written anywhere."""

import hashlib
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from typing import BinaryIO, cast

from payments.api.card_data import mask_card_numbers
from reconciliation.archives import archive_format, unpack
from reconciliation.importers import FORMATS, recognise
from reconciliation.importers.records import (
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from reconciliation.models import Source, StatementFile
from reconciliation.services.empty_files import day_of_empty_file
from reconciliation.services.receiving import FILE_SIZE_MAX

LINES_SHOWN = 20
BAD_SHOWN = 10
# A preview is read while somebody waits; of a longer file only so much.
LINES_READ_MAX = 20_000
PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class StatementPreview:
    """One statement of one account; balances are None if it states none, or not by then."""

    account: str
    currency: str
    identifier: str
    is_configured: bool
    line_count: int = 0
    opening: Decimal | None = None
    closing: Decimal | None = None
    net: Decimal = Decimal(0)

    @property
    def is_off(self) -> bool:
        """Whether opening plus lines is another balance than the closing one."""
        if self.opening is None or self.closing is None:
            return False
        return self.opening + self.net != self.closing


@dataclass(slots=True)
class Preview:
    """`refusal` says why the file would not be loaded; what was read before it is shown."""

    sha256: str
    size: int
    format: str = ""
    statements: list[StatementPreview] = field(default_factory=list)
    lines: list[ParsedLine] = field(default_factory=list)
    bad: list[RejectedLine] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    line_count: int = 0
    bad_count: int = 0
    refusal: str = ""
    is_whole: bool = True
    known: StatementFile | None = None


def preview_statement(source: Source, file: BinaryIO, *, name: str) -> Preview:
    """The first lines and the balances, as the source's configuration reads them now."""
    preview = _measured(file)
    preview.known = StatementFile.objects.filter(
        source=source,
        sha256=preview.sha256,
        empty_day=day_of_empty_file(source, file, name=name, size=preview.size),
    ).first()
    if preview.size > FILE_SIZE_MAX:
        preview.refusal = f"file_too_large: more than {FILE_SIZE_MAX} bytes"
        return preview
    try:
        preview.format = archive_format(file)
        if preview.format:
            _list_members(preview, file, name)
        else:
            _read(preview, source, file)
    except ImportRefused as refusal:
        preview.refusal = str(refusal)
    return preview


def _measured(file: BinaryIO) -> Preview:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        digest.update(piece)
        size += len(piece)
    return Preview(digest.hexdigest(), size)


def _list_members(preview: Preview, file: BinaryIO, name: str) -> None:
    for member in unpack(file, name=name):
        member.content.close()
        preview.members.append(member.name)


def _read(preview: Preview, source: Source, file: BinaryIO) -> None:
    file.seek(0)
    preview.format = recognise(file, source.formats, source.options)
    file.seek(0)
    parse = FORMATS[preview.format](file, source.options.get(preview.format, {}))
    configured = set(source.accounts.values_list("identifier", flat=True))
    is_bank = source.kind == Source.Kind.BANK_STATEMENT
    with closing(cast("Generator[Record, None, None]", parse)) as records:
        _take(preview, records, configured if is_bank else None)


def _take(preview: Preview, records: Iterable[Record], configured: set[str] | None) -> None:
    for record in records:
        match record:
            case StatementHeader():
                is_known = configured is None or record.account in configured
                preview.statements.append(
                    StatementPreview(record.account, record.currency, record.statement_id, is_known)
                )
            case ParsedLine():
                _take_line(preview, record)
            case RejectedLine():
                preview.bad_count += 1
                if len(preview.bad) < BAD_SHOWN:
                    preview.bad.append(record)
            case StatementTrailer():
                statement = preview.statements[-1]
                statement.opening, statement.closing = record.opening, record.closing
        if preview.line_count + preview.bad_count >= LINES_READ_MAX:
            preview.is_whole = False
            return


def _take_line(preview: Preview, line: ParsedLine) -> None:
    statement = preview.statements[-1]
    statement.line_count += 1
    statement.net += line.net
    preview.line_count += 1
    if len(preview.lines) < LINES_SHOWN:
        text, counterparty = mask_card_numbers(line.text), mask_card_numbers(line.counterparty)
        preview.lines.append(
            line._replace(
                currency=line.currency or statement.currency,
                text=text,
                counterparty=counterparty,
            )
        )
