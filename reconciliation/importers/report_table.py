"""A processor's CSV report as one statement, whose lines move the balance of their own currency."""

from collections.abc import Callable, Iterator

from .csv_table import Table
from .records import ParsedLine, Record, StatementHeader, StatementTrailer
from .values import Unreadable

# The line that a row with this number and these cells is; raises `Unreadable` if it is none.
ReadLine = Callable[[int, list[str]], ParsedLine]


def read_report(table: Table, line: ReadLine) -> Iterator[Record]:
    """The rows of `table` as lines; those that `line` cannot read are rejected alone."""
    yield StatementHeader("", "", "", "", None, None)
    for row in table.rows():
        if not isinstance(row, tuple):
            yield row
            continue
        try:
            yield line(*row)
        except Unreadable as problem:
            yield table.reject(row[0], problem)
    yield StatementTrailer()
