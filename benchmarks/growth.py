"""Posting into a journal that is 1,000,000, 5,000,000 or 10,000,000 postings long."""

from contextlib import ExitStack

from django.db import connection

from benchmarks import database
from benchmarks.contenders import NOW
from benchmarks.posting import empty_journal, measure_matrix, named, say
from benchmarks.table import GOAL_COLUMNS, Goal, Table, goal_row
from benchmarks.writers import Effort, Load, Writers, calibrate, measure_once
from ledger.sql import execute

YOUNG = 1_000_000  # the middle of the first two million
GROWN = 5_000_000
OLD = 10_000_000
ENTRIES_PER_FILL = 250_000
LOADS = [Load("ours", "spread", batch) for batch in (1_000, 5_000)]
GOALS = {GROWN: None, OLD: Goal(0.70)}
GUARDED = ("ledger_journalentry", "ledger_posting")


def run(pool: Writers, effort: Effort) -> list[Table]:
    """Measure on the database in use, whose accounts are open, and on copies of its youth.

    They are measured in turn, round by round: what else the machine does meets all of them.
    """
    empty_journal()
    places = {YOUNG: f"{database.RUN}_young", GROWN: f"{database.RUN}_grown", OLD: database.RUN}
    with ExitStack() as copies:
        for postings, place in places.items():
            say(f"filling the journal up to {postings:,} postings")
            fill_journal(postings)
            if place != database.RUN:
                pool.leave()
                database.copy(database.RUN, place)
                copies.callback(database.drop, place)
        copies.callback(database.use, database.RUN)
        copies.callback(pool.leave)
        rows = against_youth(pool, effort, places)
        database.use(places[GROWN])
        matrix = measure_matrix(pool, effort, f"{GROWN:,} postings", lambda: None)
    return [Table("Posting as the journal grows: entries per second", GOAL_COLUMNS, rows), matrix]


def fill_journal(postings: int) -> None:
    """The journal is `postings` long. Balances stay as they are: nothing measured adds them up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_posting")
        (found,) = cursor.fetchone()
    missing = (postings - found) // 2
    for table in GUARDED:
        database.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for first in range(0, missing, ENTRIES_PER_FILL):
        count = min(ENTRIES_PER_FILL, missing - first)
        execute("benchmarks", "fill_journal", entries=count, effective_at=NOW)
    for table in GUARDED:
        database.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        database.run(f"VACUUM (ANALYZE, FREEZE) {table}")


def against_youth(pool: Writers, effort: Effort, places: dict[int, str]) -> list[tuple[str, ...]]:
    say("posting as the journal grows")
    sizes = {}
    for postings, place in places.items():
        database.use(place)
        sizes[postings] = calibrate(pool, LOADS, effort)
    rates = {postings: {load: [] for load in LOADS} for postings in places}
    for _ in range(effort.rounds):
        for postings, place in places.items():
            database.use(place)
            for load, rate in measure_once(pool, sizes[postings]).items():
                rates[postings][load].append(rate)
    return [
        goal_row(
            f"{named(load)}, {postings:,} postings", rates[postings][load],
            f"the same, {YOUNG:,} postings", rates[YOUNG][load], goal,
        )
        for postings, goal in GOALS.items()
        for load in LOADS
    ]  # fmt: skip
