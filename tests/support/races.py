"""Things that happen at the same time, on connections of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from prometheus_client import REGISTRY

from ledger.sql import statement
from tests.support.own_names import database_url_of_tests
from tests.support.servers import wait_for

PATIENCE_SECONDS = 30
BLOCKED = """
SELECT query FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND starts_with(query, %s)
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def run_together(*actions: Callable[[], Any]) -> list[Any]:
    """Run each action on a thread of its own, all let go at once.

    Returns, in order, what each returned or the exception it raised. Needs
    `django_db(transaction=True)`, because other connections only see what is committed.
    """
    barrier = threading.Barrier(len(actions))
    outcomes: list[Any] = [None] * len(actions)

    def run(number: int, action: Callable[[], Any]) -> None:
        barrier.wait(PATIENCE_SECONDS)
        try:
            outcomes[number] = action()
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=numbered, daemon=True) for numbered in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "An action did not end in time."
    return outcomes


@contextmanager
def meanwhile(action: Callable[[], Any]) -> Iterator[list[Any]]:
    """Run the action on a thread of its own beside the block, which must let it end.

    After the block, the list has what it returned or the exception it raised.
    """
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(action())
        except Exception as error:
            outcomes.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield outcomes
    finally:
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "The action did not end in time."


def wait_until_blocked(app: str, name: str) -> None:
    """Somebody waits for a lock in the statement `<app>/sql/<name>.sql`, known by its comment."""
    comment, _, _ = statement(app, name).partition("\n")
    with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
        wait_for(lambda: watcher.execute(BLOCKED, [comment]).fetchall())


def retries(reason: str) -> int:
    """How many batches this process has posted again for this reason so far."""
    name = "tieout_ledger_posting_retries_total"
    return int(REGISTRY.get_sample_value(name, {"reason": reason}) or 0)


def deadlocks() -> int:
    """How many the database has seen so far."""
    with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
        watcher.execute("SELECT pg_stat_force_next_flush()")
        (count,) = watcher.execute(DEADLOCKS).fetchone() or (0,)
    return int(count)
