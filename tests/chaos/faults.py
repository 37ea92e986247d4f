"""What may happen to a platform: each fault hurts it while its clients go on, and heals it again.

No row may be held by more than two workers that die in one fault: the third death parks it, which
is right and would wait for a person.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg

from payments.doorbell import UNHEARD_SECONDS
from payments.work import DEAD_AFTER_SECONDS
from tests.chaos.callers import gateway_answers_twice, same_key_at_once
from tests.chaos.messages import messages_are_garbage, messages_repeated
from tests.chaos.round import WORKERS, Round

SLOW_GATEWAY_SECONDS = "1.5"


def web_process_killed(now: Round) -> None:
    """The older one each time: one that dies twice in 5.5 s makes the server give up, rightly."""
    for _ in range(2):
        now.house.kill_child("web", which=0)
        time.sleep(max(now.seconds / 2, 6))


def web_killed(now: Round) -> None:
    now.house.kill_group("web")
    now.pass_time()


def worker_killed(now: Round) -> None:
    """One, then the other, each with rows in hand."""
    first, _ = now.busy_child(*WORKERS)
    now.house.kill_group(first)
    now.pass_time(0.5)
    second, _ = now.busy_child(*set(WORKERS) - {first})
    now.house.kill_group(second)
    now.pass_time(0.5)


def worker_main_killed(now: Round) -> None:
    name, _ = now.busy_child(*WORKERS)
    now.house.kill_main(name)
    now.pass_time()


def worker_child_killed(now: Round) -> None:
    for _ in range(2):
        _, pid = now.busy_child(*WORKERS)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        now.pass_time(0.5)


def worker_paused(now: Round) -> None:
    """Until it is taken for dead, and the bell it took with it is rung again for the other one:
    it wakes up and finds its rows gone."""
    name, busy = now.busy_child(*WORKERS)
    os.kill(busy, signal.SIGSTOP)
    pid = now.house.main_pid(name)
    now.house.pause(pid)
    time.sleep(DEAD_AFTER_SECONDS + UNHEARD_SECONDS)
    now.house.resume(pid)


def postgres_immediate(now: Round) -> None:
    _crash_postgres(now, signal.SIGQUIT)


def postgres_killed(now: Round) -> None:
    _crash_postgres(now, signal.SIGKILL)


def _crash_postgres(now: Round, number: signal.Signals) -> None:
    now.pass_time(0.3)
    now.house.crash(now.house.postgres, number)
    time.sleep(now.chance.uniform(0, 3))
    now.house.postgres.start()
    now.pass_time(0.7)


def postgres_paused(now: Round) -> None:
    pid = now.house.postgres.pid()
    now.house.pause(pid)
    now.pass_time()
    now.house.resume(pid)


def sessions_terminated(now: Round) -> None:
    over_at = time.monotonic() + now.seconds
    while time.monotonic() < over_at:
        with suppress(psycopg.Error):
            now.house.query(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " ORDER BY random() LIMIT 1) AS victim"
            )
        time.sleep(0.2)


def table_locked(now: Round) -> None:
    with psycopg.connect(now.house.database_url) as connection:
        connection.execute("LOCK TABLE payments_payment IN ACCESS EXCLUSIVE MODE")
        now.pass_time()


def valkey_killed(now: Round) -> None:
    """Without what it had on its disk either."""
    now.house.crash(now.house.valkey, signal.SIGKILL)
    shutil.rmtree(now.house.valkey.directory, ignore_errors=True)
    now.pass_time(0.5)
    now.house.valkey.start()
    now.pass_time(0.5)


def valkey_stopped(now: Round) -> None:
    now.house.crash(now.house.valkey, signal.SIGTERM)
    now.pass_time()
    now.house.valkey.start()


def valkey_paused(now: Round) -> None:
    pid = now.house.valkey.pid()
    now.house.pause(pid)
    now.pass_time()
    now.house.resume(pid)


def valkey_flushed(now: Round) -> None:
    for _ in range(max(1, int(now.seconds))):
        now.house.redis().flushall()
        time.sleep(1)


def valkey_full(now: Round) -> None:
    now.house.redis().config_set("maxmemory", "1mb")
    now.pass_time()
    now.house.redis().config_set("maxmemory", "0")


def second_beat(now: Round) -> None:
    more = now.house.add(now.house.process("beat", "beat2"))
    now.pass_time()
    _dismiss(now, more)


def gateway_slow(now: Round) -> None:
    """A third worker takes its share, and its gateway takes its time."""
    house = now.house
    slow = house.process("worker", "worker3", SIMULATOR_LATENCY_SECONDS=SLOW_GATEWAY_SECONDS)
    more = house.add(slow)
    now.pass_time(2)
    _dismiss(now, more)


def _dismiss(now: Round, more: Any) -> None:
    more.stop()
    now.house.supervisors.remove(more)


FAULTS: dict[str, Callable[[Round], None]] = {
    fault.__name__: fault
    for fault in (
        web_process_killed,
        web_killed,
        worker_killed,
        worker_main_killed,
        worker_child_killed,
        worker_paused,
        postgres_immediate,
        postgres_killed,
        postgres_paused,
        sessions_terminated,
        table_locked,
        valkey_killed,
        valkey_stopped,
        valkey_paused,
        valkey_flushed,
        valkey_full,
        messages_repeated,
        messages_are_garbage,
        second_beat,
        gateway_slow,
        gateway_answers_twice,
        same_key_at_once,
    )
}
# Together with another fault of this list: one hurts processes, the other what is between them.
COMPANIONS = {
    "web_process_killed": ("valkey_flushed", "sessions_terminated", "valkey_stopped"),
    "worker_child_killed": ("valkey_killed", "messages_repeated", "gateway_answers_twice"),
    "worker_killed": ("valkey_paused", "sessions_terminated", "second_beat"),
    "postgres_immediate": ("valkey_killed", "messages_repeated"),
}


def fault_of(name: str) -> Callable[[Round], None]:
    """The fault of this name; of `one+other`, both at the same time."""
    parts = [FAULTS[part] for part in name.split("+")]

    def all_at_once(now: Round) -> None:
        with ThreadPoolExecutor(len(parts)) as hands:
            done = [hands.submit(part, now) for part in parts]
        for each in done:
            each.result()

    return all_at_once
