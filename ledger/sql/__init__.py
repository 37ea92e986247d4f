"""Runs the statements kept as files: one file, one statement, its first line says what it does."""

import collections
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

Row = Any


@cache
def statement(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>.sql`."""
    return (Path(settings.BASE_DIR) / app / "sql" / f"{name}.sql").read_text()


def rows(app: str, name: str, **params: Any) -> list[Row]:
    """Run a statement and return its rows as named tuples."""
    with connection.cursor() as cursor:
        cursor.execute(statement(app, name), params)
        if cursor.description is None:
            return []
        shape = _row_type(tuple(column.name for column in cursor.description))
        return [shape(*row) for row in cursor.fetchall()]


def execute(app: str, name: str, **params: Any) -> int:
    """Run a statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(app, name), params)
        return cursor.rowcount


@cache
def _row_type(columns: tuple[str, ...]) -> type:
    return collections.namedtuple("SqlRow", columns)
