"""A database of their own for the benchmarks, made for the run and dropped after it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
import psycopg

from config import embedded

NAME = "tieout_bench"


@contextmanager
def own_database() -> Iterator[None]:
    """Django works on an empty, migrated database inside this block."""
    with embedded.held():
        admin_url = os.environ.get("DATABASE_URL") or embedded.database_url()
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {NAME}")
            os.environ["DATABASE_URL"] = admin_url.replace("/tieout", f"/{NAME}", 1)
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
            django.setup()
            from django.core.management import call_command
            from django.db import connections

            call_command("migrate", verbosity=0)
            try:
                yield
            finally:
                connections.close_all()
                admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
