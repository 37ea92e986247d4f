"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from django.db import connection

RECONCILIATION_RUN_LOCK = 7_002  # never reuse or renumber


def lock_reconciliation() -> None:
    """One matching transaction at a time, without the time limits of a request, until it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RECONCILIATION_RUN_LOCK])
