"""Databases of their own for the benchmarks, made for the run and dropped after it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from config import embedded

TEMPLATE = "tieout_bench"
RUN = "tieout_bench_run"


@contextmanager
def own_server() -> Iterator[None]:
    """Django is set up inside this block; what `own_database` copies is migrated."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    with embedded.held():
        django.setup()
        drop(TEMPLATE)
        _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        try:
            call_command("migrate", verbosity=0, run_syncdb=True)
            yield
        finally:
            drop(TEMPLATE)


@contextmanager
def own_database() -> Iterator[None]:
    """Django works on an empty, migrated database inside this block."""
    copy(TEMPLATE, RUN)
    use(RUN)
    try:
        yield
    finally:
        use(TEMPLATE)
        drop(RUN)


def use(name: str) -> None:
    """From here on this process works on the database `name`."""
    connection.close()
    connection.settings_dict["NAME"] = name


def copy(source: str, name: str) -> None:
    """A database `name` holds what `source` does, down to its files. Nobody may be using it."""
    connection.close()
    drop(name)
    _administer(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
            sql.Identifier(name), sql.Identifier(source)
        )
    )


def drop(name: str) -> None:
    """The database `name` is gone, whoever used it."""
    connection.close()
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def run(statement: str) -> None:
    """Run one statement of the benchmark's own on the database in use, committed at once."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _administer(statement: sql.Composed) -> None:
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(statement)
