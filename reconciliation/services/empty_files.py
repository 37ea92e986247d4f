"""A CSV statement without a line: nothing happened on its day, which only its name can say."""

import re
from datetime import date

from reconciliation.models import Statement, StatementFile

CSV = "csv"
_days_in = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)").findall


def statements_without_lines(file: StatementFile, format_code: str) -> list[Statement]:
    """One statement per account of the source for the day in the file's name.

    Empty if the format has headers that say it, or the name has no day or several.
    """
    day = _day_in(file.name)
    if format_code != CSV or day is None:
        return []
    return [
        Statement(file=file, source_account=account, first_day=day, last_day=day)
        for account in file.source.accounts.order_by("pk")
    ]


def _day_in(name: str) -> date | None:
    """The day YYYY-MM-DD or YYYYMMDD in a name that has one."""
    days = set(_days_in(name))
    if len(days) != 1:
        return None
    try:
        return date(*map(int, days.pop()))
    except ValueError:
        return None
