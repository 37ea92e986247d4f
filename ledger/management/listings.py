"""What commands that list figures share: moments on the command line, and CSV."""

import csv
import io
from argparse import ArgumentTypeError
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from ledger.money import Money
from ledger.spreadsheets import as_text


def beginning(text: str) -> datetime:
    """A moment, or the first one of a day in UTC."""
    found = _read(text)
    return found if isinstance(found, datetime) else datetime.combine(found, time.min, UTC)


def end(text: str) -> datetime:
    """A moment, or the last one of a day in UTC."""
    found = _read(text)
    return found if isinstance(found, datetime) else datetime.combine(found, time.max, UTC)


def after(text: str) -> datetime:
    """A moment, or the first one after a day in UTC."""
    found = _read(text)
    if isinstance(found, datetime):
        return found
    return datetime.combine(found + timedelta(days=1), time.min, UTC)


def _read(text: str) -> date | datetime:
    try:
        if len(text) == len("2026-10-31"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ArgumentTypeError(f"{text!r} is no day and no moment in ISO 8601.") from problem
    if moment.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no time zone; add Z or +02:00.")
    return moment


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows under their columns. Amounts are plain numbers; no text can run as a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, Money):
        return value.text
    return as_text(value) if isinstance(value, str) else value
