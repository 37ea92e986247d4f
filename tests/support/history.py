"""Journals with a past: entries posted at chosen moments, blocks sealed at chosen places."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from ledger.entries import Entry
from ledger.models import JournalEntry, Seal
from ledger.services.day_totals import add_day_totals
from ledger.services.posting import Status, post_entries


@transaction.atomic
def post_at(moment: datetime, entries: Sequence[Entry]) -> list[int]:
    """Post the entries as if it were this moment; returns their ids."""
    results = post_entries(entries)
    assert {result.status for result in results} <= {Status.POSTED}, results
    ids = [result.entry_id for result in results if result.entry_id is not None]
    with connection.cursor() as cursor:
        # Only a clock of our own can make history: the journal itself refuses to be changed.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_journalentry SET posted_at = %s WHERE id = ANY(%s)", [moment, ids]
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    return ids


def seal_up_to(entry_id: int) -> None:
    """Seal a block that ends with this entry, without its hashes: reads only ask where it ends."""
    newest = Seal.objects.first()
    first = newest.last_entry_id + 1 if newest else 1
    entries = JournalEntry.objects.filter(pk__range=(first, entry_id))
    Seal.objects.create(
        number=newest.number + 1 if newest else 1,
        first_entry_id=first,
        last_entry_id=entry_id,
        entry_count=entries.count(),
        merkle_root=bytes(32),
        previous_hash=bytes(32),
        hash=bytes(32),
        horizon=entries.aggregate(newest=Max("posted_at"))["newest"],
    )
    add_day_totals(first, entry_id)
