"""Posting: `post_entries` beside its peers, beside the physical limit, and under other keys."""

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from django.db import transaction

from benchmarks.contenders import entries_of, post
from benchmarks.database import run as run_sql
from benchmarks.table import GOAL_COLUMNS, Goal, Table, goal_row
from benchmarks.writers import Effort, Load, Writers, calibrate, measure, measure_once

ORM, ORM_8 = Load("plain"), Load("plain", writers=8)
HORDAK, HORDAK_8 = Load("hordak"), Load("hordak", writers=8)
FUNCTION, FUNCTION_8 = Load("function"), Load("function", writers=8)
FUNCTION_HOT, FUNCTION_HOT_8 = Load("function", "hot"), Load("function", "hot", writers=8)

NAMES = {
    "plain": "(a) ORM service",
    "hordak": "(b) django-hordak",
    "function": "(c) PL/pgSQL function",
}
PEERS: tuple[tuple[Load, Load, Goal | None], ...] = (
    (Load("ours", "floored", 1_000, 8), ORM_8, Goal(40)),
    (Load("ours", "spread", 1_000, 8), ORM_8, Goal(40)),
    (Load("ours", "floored", 1_000, 1), ORM, None),
    (Load("ours", "floored", 1_000, 8), HORDAK_8, None),
    (Load("ours", "floored", 1_000, 1), HORDAK, None),
    (Load("ours", "floored", 1_000, 8), FUNCTION_8, Goal(5)),
    (Load("ours", "spread", 1_000, 8), FUNCTION_8, Goal(5)),
    (Load("ours", "floored", 1_000, 1), FUNCTION, None),
    (Load("ours", "hot", 1_000, 8), FUNCTION_HOT_8, Goal(15)),
    (Load("ours", "hot, floored", 1_000, 8), FUNCTION_HOT_8, Goal(15)),
    (Load("ours", "hot", 1_000, 1), FUNCTION_HOT, None),
    (Load("ours", "floored", 1, 1), FUNCTION, Goal(1 / 1.5, "≥ 0.67 (≤ 1.5 × its time)")),
    (Load("ours", "spread", 1, 1), FUNCTION, Goal(1 / 1.5, "≥ 0.67 (≤ 1.5 × its time)")),
)
LIMITED = [Load("ours", placement, 5_000) for placement in ("spread", "floored")]
LIMIT_GOAL = Goal(0.35, "≥ 0.35 (stretch 0.50)")
KEYED = [Load("ours", "spread", batch) for batch in (1_000, 5_000)]
KEYS_GOAL = Goal(1.3)
KEYS = {
    "ledger_posting": ("ledger_posting_entry_fk", "ledger_posting_account_fk"),
    "ledger_journalentry": ("ledger_journalentry_reverses_fk",),
}

MATRIX_PLACEMENTS = ("spread", "floored", "hot")
MATRIX_BATCHES = (1, 100, 1_000, 5_000)
MATRIX_WRITERS = (1, 4, 8)
MATRIX_ROUNDS_MAX = 3


def run(pool: Writers, effort: Effort) -> list[Table]:
    """Measure on a database whose accounts are open and whose journal may be emptied."""
    rows = against_peers(pool, effort)
    rows += against_limit(effort)
    rows += against_enforced_keys(pool, effort)
    goals = Table("Posting: entries per second", GOAL_COLUMNS, rows)
    return [goals, measure_matrix(pool, effort, "an empty journal", empty_journal)]


def against_peers(pool: Writers, effort: Effort) -> list[tuple[str, ...]]:
    say("posting beside its peers")
    loads = list(dict.fromkeys(load for ours, peer, _ in PEERS for load in (ours, peer)))
    rates = measure(pool, loads, effort, before_round=empty_journal)
    return [
        goal_row(named(ours), rates[ours], named(peer), rates[peer], goal)
        for ours, peer, goal in PEERS
    ]


def empty_journal() -> None:
    """No entries and no postings; the accounts stay, and so do the tables of the peers."""
    run_sql("TRUNCATE ledger_journalentry, ledger_posting CASCADE")


def against_limit(effort: Effort) -> list[tuple[str, ...]]:
    """The same rows by one bare INSERT … SELECT per table: same columns, same indexes, no rules."""
    say("posting beside the physical limit")
    empty_journal()
    tables = ("ledger_journalentry", "ledger_posting")
    for table in tables:
        run_sql(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING INDEXES)")
    ours, limit = ({load: [] for load in LIMITED} for _ in range(2))
    for round_number in range(-1, 2 * effort.rounds):
        for load in LIMITED:
            batch = entries_of(load, load.batch)
            posted = load.batch / seconds_of(lambda batch=batch: post(batch))
            stage_newest(load.batch)
            copied = load.batch / seconds_of(insert_staged)
            if round_number >= 0:  # the first warms up
                ours[load].append(posted)
                limit[load].append(copied)
    for table in tables:
        run_sql(f"DROP TABLE bare_{table}, staged_{table}")
    return [
        goal_row(named(load), ours[load], "(d) bare INSERT … SELECT", limit[load], LIMIT_GOAL)
        for load in LIMITED
    ]


def stage_newest(entries: int) -> None:
    """What was posted last, in its order, apart from the journal it is not yet copied to."""
    for table, column, order in (
        ("ledger_journalentry", "id", "id"),
        ("ledger_posting", "entry_id", "entry_id, position"),
    ):
        run_sql(f"DROP TABLE IF EXISTS staged_{table}")
        run_sql(
            f"CREATE UNLOGGED TABLE staged_{table} AS SELECT * FROM {table} WHERE {column} > "
            f"(SELECT coalesce(max({column}), 0) FROM bare_{table}) ORDER BY {order}"
        )
        run_sql(f"ANALYZE staged_{table}")


@transaction.atomic
def insert_staged() -> None:
    for table in ("ledger_journalentry", "ledger_posting"):
        run_sql(f"INSERT INTO bare_{table} SELECT * FROM staged_{table}")


def seconds_of(work: Callable[[], object]) -> float:
    gc.collect()
    gc.freeze()
    started = time.monotonic()
    work()
    seconds = time.monotonic() - started
    gc.unfreeze()
    return seconds


def against_enforced_keys(pool: Writers, effort: Effort) -> list[tuple[str, ...]]:
    """Keys the triggers prove per statement, beside the same keys enforced row by row."""
    say("posting beside enforced foreign keys")
    rates = {is_enforced: {load: [] for load in KEYED} for is_enforced in (False, True)}
    sizes = calibrate(pool, KEYED, effort)
    for _ in range(effort.rounds):
        for is_enforced, found in rates.items():
            empty_journal()
            enforce_keys(is_enforced)
            measure_once(pool, {load: load.batch for load in KEYED})
            for load, rate in measure_once(pool, sizes).items():
                found[load].append(rate)
    enforce_keys(False)
    return [
        goal_row(
            named(load), rates[False][load], "the same, foreign keys enforced", rates[True][load],
            KEYS_GOAL,
        )
        for load in KEYED
    ]  # fmt: skip


def enforce_keys(is_enforced: bool) -> None:
    """The foreign keys of the journal are checked by PostgreSQL row by row, or only declared."""
    for table, keys in KEYS.items():
        for key in keys:
            state = "ENFORCED" if is_enforced else "NOT ENFORCED"
            run_sql(f"ALTER TABLE {table} ALTER CONSTRAINT {key} {state}")


def measure_matrix(
    pool: Writers, effort: Effort, where: str, before_round: Callable[[], None]
) -> Table:
    """`post_entries` in every size of batch, for every number of writers, on every placement."""
    say(f"posting on {where}")
    loads = [
        Load("ours", placement, batch, number)
        for placement in MATRIX_PLACEMENTS
        for batch in MATRIX_BATCHES
        for number in MATRIX_WRITERS
    ]
    less = replace(
        effort, seconds=effort.seconds / 2, rounds=min(effort.rounds, MATRIX_ROUNDS_MAX)
    )  # nothing is decided by it, and it is long
    rates = measure(pool, loads, less, before_round=before_round)
    rows = [
        (
            placement,
            f"{batch:,}",
            *(f"{median(rates[Load('ours', placement, batch, n)]):,.0f}" for n in MATRIX_WRITERS),
        )
        for placement in MATRIX_PLACEMENTS
        for batch in MATRIX_BATCHES
    ]
    columns = ("accounts", "batch", *map(crowd, MATRIX_WRITERS))
    return Table(f"post_entries on {where}: entries per second", columns, rows)


def named(load: Load) -> str:
    """The load in words."""
    if load.contender == "ours":
        return f"batch of {load.batch:,}, {load.placement}, {crowd(load.writers)}"
    hot = ", hot" if load.placement == "hot" else ""
    return f"{NAMES[load.contender]}{hot}, {crowd(load.writers)}"


def crowd(writers: int) -> str:
    return "1 writer" if writers == 1 else f"{writers} writers"


def say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)
