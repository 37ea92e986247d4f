"""Runs the statements kept as files: one file, one statement, its first line says what it does."""

import collections
import re
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

Row = Any

_NEEDS_ESCAPE = re.compile(r'["\\\\]')


@cache
def statement(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>.sql`."""
    return (Path(settings.BASE_DIR) / app / "sql" / f"{name}.sql").read_text()


def rows(app: str, name: str, **params: Any) -> list[Row]:
    """Run a statement and return its rows as named tuples."""
    with connection.cursor() as cursor:
        cursor.execute(statement(app, name), _bound(params))
        if cursor.description is None:
            return []
        shape = _row_type(tuple(column.name for column in cursor.description))
        return [shape(*row) for row in cursor.fetchall()]


def execute(app: str, name: str, **params: Any) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(app, name), _bound(params))
        return cursor.rowcount


def _bound(params: dict[str, Any]) -> dict[str, Any]:
    return {
        name: array_literal(value) if isinstance(value, list) else value
        for name, value in params.items()
    }


def array_literal(values: list[Any]) -> str:
    """A PostgreSQL array as text, for a parameter that the statement casts (`::bigint[]`).

    The driver writes arrays element by element in Python, which costs more than posting them.
    """
    first = next((value for value in values if value is not None), None)
    if isinstance(first, bytes):
        return "{" + ",".join(map(_hexadecimal, values)) + "}"
    if isinstance(first, int) and None not in values:
        return "{" + ",".join(map(str, values)) + "}"
    if isinstance(first, str) and None not in values:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return '{"' + joined + '"}'
    return (
        "{" + ",".join("NULL" if value is None else _quoted(str(value)) for value in values) + "}"
    )


def _hexadecimal(value: bytes | None) -> str:
    return "NULL" if value is None else f'"\\\\x{value.hex()}"'


def _quoted(text: str) -> str:
    return '"' + _NEEDS_ESCAPE.sub(r"\\\g<0>", text) + '"'


@cache
def _row_type(columns: tuple[str, ...]) -> type:
    return collections.namedtuple("SqlRow", columns)
