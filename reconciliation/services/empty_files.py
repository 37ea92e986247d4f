"""A CSV statement without a line: nothing happened on its day, which only its name can say."""

import io
import re
from collections.abc import Generator
from contextlib import closing
from datetime import date
from typing import BinaryIO, cast

from reconciliation.importers import FORMATS, recognise
from reconciliation.importers.records import (
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
)
from reconciliation.models import Source, Statement, StatementFile

CSV = "csv"
# What has no line is small: headings, and at most a few words above them.
EMPTY_BYTES_MAX = 64 * 2**10
_days_in = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)").findall


def day_of_empty_file(source: Source, content: BinaryIO, *, name: str, size: int) -> date | None:
    """The day in the name of a CSV file that has no line; None for every other file.

    Such files are the same bytes each day: the day is part of what tells them apart.
    """
    day = _day_in(name)
    if day is None or CSV not in source.formats or size > EMPTY_BYTES_MAX:
        return None
    content.seek(0)
    held = io.BytesIO(content.read())
    try:
        is_csv = recognise(held, source.formats, source.options) == CSV
        held.seek(0)
        return day if is_csv and not _has_lines(held, source) else None
    except ImportRefused:
        return None


def statements_without_lines(file: StatementFile, format_code: str) -> list[Statement]:
    """One statement per account of the source for the day in the file's name.

    Empty if the format has headers that say it. Raises ImportRefused if nothing does: who sent it
    would think that the day is seen to.
    """
    if format_code != CSV:
        return []
    day = file.empty_day or _day_in(file.name)
    if day is None:
        raise ImportRefused(
            "empty_without_day",
            "it has no line, so that only its name can say which day it is about; send it again"
            " under a name with one day in it, YYYY-MM-DD or YYYYMMDD",
        )
    return [
        Statement(file=file, source_account=account, first_day=day, last_day=day)
        for account in file.source.accounts.order_by("pk")
    ]


def _has_lines(content: BinaryIO, source: Source) -> bool:
    records = FORMATS[CSV](content, source.options.get(CSV, {}))
    # Closed before the file is: a parser puts a reader of text around it.
    with closing(cast("Generator[Record, None, None]", records)) as found:
        return any(isinstance(record, ParsedLine | RejectedLine) for record in found)


def _day_in(name: str) -> date | None:
    """The day YYYY-MM-DD or YYYYMMDD in a name that has one."""
    days = set(_days_in(name))
    if len(days) != 1:
        return None
    try:
        return date(*map(int, days.pop()))
    except ValueError:
        return None
