"""Runs the statements kept as files: one file, one statement, its first line says what it does."""

import collections
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections

from ledger.sql.arrays import array_literal
from ledger.sql.kept import run_kept

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


def texts_kept(app: str, name: str, **params: Any) -> list[tuple[Any, ...]]:
    """Run a statement the server keeps the plan of; its columns are text.

    Only for statements whose plan does not depend on how full the tables are.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    driver = database.connection
    text = statement(app, name)
    with database.wrap_database_errors:
        # Inside a transaction psycopg has to send its BEGIN, and may not prepare behind a pooler.
        if driver.autocommit and driver.prepare_threshold is not None:
            return run_kept(driver, text, params)
        return psycopg.Cursor(driver).execute(text, bind(params), prepare=True).fetchall()


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


@cache
def _row_type(columns: tuple[str, ...]) -> type:
    return collections.namedtuple("SqlRow", columns)
