"""Posting through `post_entries` against the same rows written by one bare INSERT … SELECT."""

import random
import time
from datetime import UTC, datetime
from statistics import median

from django.db import connection, transaction

from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.models import JournalEntry
from ledger.money import Money
from ledger.services.posting import post_entries

ACCOUNTS = 10_000
ROUNDS = 5
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run() -> None:
    """Print, per batch size, entries per second and the ratio to the limit, medians of ROUNDS."""
    chance = random.Random(1)
    accounts = [AccountRef(f"bench:{n}", AccountType.LIABILITY, "EUR") for n in range(ACCOUNTS)]
    _bare_tables()
    for size in (100, 1_000, 5_000):
        ours, limit = [], []
        for round_number in range(ROUNDS):
            entries = [
                Entry(
                    f"bench-{size}-{round_number}-{n}",
                    "bench",
                    f"ref_{n}",
                    NOW,
                    moves(*chance.sample(accounts, 2), Money(chance.randint(1, 10_000), "EUR")),
                )
                for n in range(size)
            ]
            ours.append(size / _seconds(lambda entries=entries: post_entries(entries)))
            limit.append(size / _seconds(lambda size=size: _insert_select(size)))
        ratio = median(ours) / median(limit)
        print(
            f"posting, batch {size:>5}: {median(ours):>8.0f} entries/s,"
            f" limit {median(limit):>8.0f}/s, ratio {ratio:.2f}"
        )
    assert JournalEntry.objects.count() == ROUNDS * 6_100


def _seconds(work) -> float:
    started = time.perf_counter()
    with transaction.atomic():
        work()
    return time.perf_counter() - started


def _bare_tables() -> None:
    """The same columns and indexes as the journal, without triggers and checks."""
    with connection.cursor() as cursor:
        for table in ("ledger_journalentry", "ledger_posting"):
            cursor.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING INDEXES)")


def _insert_select(size: int) -> None:
    """Copy the newest `size` entries and their postings into the bare tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_ledger_journalentry SELECT * FROM ledger_journalentry"
            " ORDER BY id DESC LIMIT %s",
            [size],
        )
        cursor.execute(
            "INSERT INTO bare_ledger_posting SELECT posting.* FROM ledger_posting AS posting"
            " WHERE entry_id > (SELECT max(id) - %s FROM ledger_journalentry)",
            [size],
        )
