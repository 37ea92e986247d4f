"""CSV texts read by a mapping of three columns, and by more."""

import io
from decimal import Decimal
from typing import Any

from reconciliation.importers import (
    FORMATS,
    ParsedLine,
    Record,
    RejectedLine,
)

COLUMNS = {"booked_on": "Date", "amount": "Amount", "text": "Text"}
MAPPING: dict[str, Any] = {"currency": "EUR", "date_format": "YYYY-MM-DD", "columns": COLUMNS}
HEADER = "Date,Amount,Text\n"


def records(text: str | bytes, **options: Any) -> list[Record]:
    data = text.encode() if isinstance(text, str) else text
    return list(FORMATS["csv"](io.BytesIO(data), {**MAPPING, **options}))


def lines(text: str | bytes, **options: Any) -> list[ParsedLine]:
    found = records(text, **options)
    assert not [record for record in found if isinstance(record, RejectedLine)]
    return [record for record in found if isinstance(record, ParsedLine)]


def rejected(text: str | bytes, **options: Any) -> list[RejectedLine]:
    return [r for r in records(text, **options) if isinstance(r, RejectedLine)]


def columns(**more: Any) -> dict[str, Any]:
    return {**COLUMNS, **more}


def net(cell: str, **options: Any) -> Decimal | str:
    """What an amount is read as, or the code of its rejection."""
    [_, record, _] = records(f'{HEADER}2026-03-19,"{cell}",x\n', **options)
    if isinstance(record, RejectedLine):
        return record.reason.partition(":")[0]
    assert isinstance(record, ParsedLine)
    return record.net
