"""Runs the statements kept as files: one file, one statement, its first line says what it does."""

import collections
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

Row = Any
Parameters = dict[str, Any]

LARGE_CHARS = 10_000


@cache
def statement(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>.sql`."""
    return (Path(settings.BASE_DIR) / app / "sql" / f"{name}.sql").read_text()


def rows(app: str, name: str, **params: Any) -> list[Row]:
    """Run a statement and return its rows as named tuples."""
    with _executed(app, name, params) as cursor:
        if cursor.description is None:
            return []
        shape = _row_type(tuple(column.name for column in cursor.description))
        return [shape(*row) for row in cursor.fetchall()]


@contextmanager
def _executed(app: str, name: str, params: Parameters) -> Iterator[Any]:
    bound = bind(params)
    if not is_large(bound):
        with connection.cursor() as cursor:
            cursor.execute(statement(app, name), bound)
            yield cursor
        return
    # Binds on the server: what a large batch sends is neither escaped nor parsed as SQL.
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        yield cursor.execute(statement(app, name), bound, prepare=False)


def rows_prepared(app: str, name: str, **params: Any) -> list[tuple[Any, ...]]:
    """Run a statement the server keeps the plan of, and return its rows as plain tuples.

    Only for statements whose plan does not depend on how full the tables are.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(statement(app, name), bind(params), prepare=True)
        return cursor.fetchall()


def execute(app: str, name: str, **params: Any) -> int:
    """Run a statement and return how many rows it touched."""
    with _executed(app, name, params) as cursor:
        return cursor.rowcount


@contextmanager
def pipeline() -> Iterator[Callable[..., psycopg.Cursor]]:
    """Gives `send`, which takes what `rows` takes and does not wait; needs a transaction.

    Each still sees what was committed while the ones before it waited. When the block ends, all of
    them have succeeded, or the first error is raised.
    """
    connection.ensure_connection()
    driver = connection.connection

    def send(app: str, name: str, **params: Any) -> psycopg.Cursor:
        cursor = psycopg.Cursor(driver)
        return cursor.execute(statement(app, name), bind(params), prepare=False)

    # Results are only fetched when all is sent: before that, psycopg would wait for an answer while
    # the server waits for the rest of a large batch (psycopg issue 685).
    with connection.wrap_database_errors, driver.pipeline():
        yield send


def bind(params: Parameters) -> Parameters:
    """Lists become arrays as text."""
    return {
        name: array_literal(value) if type(value) is list else value
        for name, value in params.items()
    }


def is_large(bound: Parameters) -> bool:
    """Whether this is too much to be escaped, and parsed as SQL."""
    sizes = [len(value) for value in bound.values() if type(value) in (str, bytes)]
    return sum(sizes) >= LARGE_CHARS


def array_literal(values: list[Any]) -> str:
    """A PostgreSQL array as text, for a parameter that the statement casts (`::bigint[]`).

    The driver writes arrays element by element in Python, which costs more than posting them.
    """
    kinds = set(map(type, values))
    is_full = NoneType not in kinds
    kinds.discard(NoneType)
    if not kinds:
        return "{" + ",".join(["NULL"] * len(values)) + "}"
    kind = kinds.pop()
    if kind is int and is_full:
        return "{" + ",".join(map(str, values)) + "}"
    if issubclass(kind, str) and is_full:
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return '{"' + joined + '"}'
    if kind is bytes:
        return "{" + ",".join(map(_hexadecimal, values)) + "}"
    if kind is datetime:
        # Often the same moment many times.
        texts = {value: _moment(value) for value in set(values)}
        return "{" + ",".join([texts[value] for value in values]) + "}"
    return (
        "{" + ",".join("NULL" if value is None else _quoted(str(value)) for value in values) + "}"
    )


def _hexadecimal(value: bytes | None) -> str:
    return "NULL" if value is None else f'"\\\\x{value.hex()}"'


def _moment(value: datetime | None) -> str:
    return "NULL" if value is None else f'"{value.isoformat()}"'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _row_type(columns: tuple[str, ...]) -> type:
    return collections.namedtuple("SqlRow", columns)
