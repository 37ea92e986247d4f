"""Locked querysets by name. The lock order of the whole system is in docs/architecture.md."""

from collections.abc import Iterable

from django.db import connection

from settlements.models import Payout

SETTLEMENT_RUN_LOCK = 7_001  # never reuse or renumber


def lock_settlement_run() -> None:
    """One settlement run at a time, until this transaction ends. Taken before any row lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETTLEMENT_RUN_LOCK])


def lock_payouts(pks: Iterable[int]) -> list[Payout]:
    """Locked in id order so that two batches never deadlock."""
    return list(
        Payout.objects.select_for_update(of=("self",))
        .select_related("merchant", "batch")
        .filter(pk__in=list(pks))
        .order_by("pk")
    )
