"""Locks of the ledger by name. Balances are locked in `sql/lock_balances.sql`."""

from django.db import connection


def lock_reversal_of(public_id: str) -> None:
    """One reversal of this entry at a time, until this transaction ends.

    Advisory: a role that may not change entries may not lock their rows either.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"reversal:{public_id}"]
        )
