"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

RECONCILIATION_RUN_LOCK = 7_002  # never reuse or renumber


@contextmanager
def one_run_at_a_time() -> Iterator[None]:
    """Waits for other runs to end; held by this connection through the run's transactions."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [RECONCILIATION_RUN_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [RECONCILIATION_RUN_LOCK])
            cursor.execute("RESET lock_timeout; RESET statement_timeout")


def lock_reconciliation() -> None:
    """One matching transaction at a time, without the time limits of a request, until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECONCILIATION_RUN_LOCK])
