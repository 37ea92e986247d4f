"""Files of banks and processors, bytes in, records out; pure (DESIGN.md §9).

A file is a seekable binary file object. What a parser yields before it raises `ImportRefused` is
read correctly, but belongs to a file that is refused: keep none of it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO

from . import adyen, camt, stripe
from .csv_table import open_table
from .records import (
    NOT_BOOKED,
    Importer,
    ImportRefused,
    LineKind,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)

__all__ = [
    "FORMATS",
    "NOT_BOOKED",
    "ImportRefused",
    "Importer",
    "LineKind",
    "ParsedLine",
    "Record",
    "RejectedLine",
    "StatementHeader",
    "StatementTrailer",
    "recognise",
]

FORMATS: Mapping[str, Importer] = MappingProxyType(
    {
        "camt.053": camt.parse_statement,
        "camt.052": camt.parse_report,
        "camt.054": camt.parse_notification,
        "stripe.payout_reconciliation": stripe.parse,
        "adyen.settlement_detail": adyen.parse,
    }
)
CSV_SIGNATURES = {
    "stripe.payout_reconciliation": stripe.SIGNATURE,
    "adyen.settlement_detail": adyen.SIGNATURE,
}
HEAD_BYTES = 1024


def recognise(file: BinaryIO) -> str:
    """The format of the file, told by its content; its position is left as it was.

    Refuses `unknown_format`, or what no format allows (a DOCTYPE, an undecodable text).
    """
    position = file.tell()
    try:
        code = _code_of(file)
    finally:
        file.seek(position)
    if not code:
        raise ImportRefused("unknown_format", f"none of {', '.join(FORMATS)}")
    return code


def _code_of(file: BinaryIO) -> str:
    file.seek(0)
    # Without byte order mark, NULs and blanks, XML opens with "<" in every encoding.
    head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"").lstrip()
    if head.startswith(b"<"):
        return camt.format_of(file)
    with open_table(file, "report") as table:
        for code, names in CSV_SIGNATURES.items():
            if all(table.at(name) >= 0 for name in names):
                return code
    return ""
