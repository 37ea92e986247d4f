"""Processes that post at the same time, each on a connection of its own."""

import gc
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from django.db import connection

from benchmarks.database import run, use

WRITERS_MAX = 8
PATIENCE_SECONDS = 300
CALIBRATION_TRANSFERS = 200
CALIBRATIONS_MAX = 4
# Autovacuum does it once a minute; here every load is to meet the same.
VACUUM_BALANCES = (
    "VACUUM ledger_accountbalance, benchmarks_plainaccount, benchmarks_functionaccount"
)

Work = Callable[[], int]  # says how many transfers it made
Prepare = Callable[["Load", int], Work]  # for so many transfers


@dataclass(frozen=True)
class Load:
    """What one measurement does: who posts, onto which accounts, how many at once."""

    contender: str
    placement: str = "spread"
    batch: int = 1
    writers: int = 1

    def whole_batches(self, transfers: float) -> int:
        """How many transfers one writer makes when all of them make about so many together."""
        return self.batch * max(1, round(transfers / self.writers / self.batch))


class Writers:
    """Up to WRITERS_MAX processes that wait for work."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes

    def rate(self, load: Load, transfers: int) -> float:
        """Transfers per second, when each writer makes `transfers` of them.

        What they post is made before the clock starts, for all of them at once, and it stops when
        the last one is done.
        """
        pipes = self._pipes[: load.writers]
        database = connection.settings_dict["NAME"]
        self._all(pipes, (database, load, transfers))
        spans = self._all(pipes, "go")
        seconds = max(ended for _, ended, _ in spans) - min(started for started, _, _ in spans)
        made = sum(transfers for _, _, transfers in spans)
        assert made == transfers * load.writers, f"{load}: {made} transfers were made."
        return made / seconds

    def leave(self) -> None:
        """Close their connections, so that the database can be copied or dropped."""
        self._all(self._pipes, "leave")

    def _all(self, pipes: list[Connection], message: object) -> list:
        """What every one of them answers; as soon as one fails, its error."""
        for pipe in pipes:
            pipe.send(message)
        answers, waiting = [], list(pipes)
        while waiting:
            answered = wait(waiting, PATIENCE_SECONDS)
            assert answered, f"Nothing came of {message} in {PATIENCE_SECONDS} seconds."
            for pipe in answered:
                waiting.remove(pipe)
                answer = pipe.recv()
                if isinstance(answer, BaseException):
                    raise answer
                answers.append(answer)
        return answers


@dataclass(frozen=True)
class Effort:
    """How long and how often each load is measured."""

    seconds: float = 1.0
    rounds: int = 5


def measure(
    pool: Writers, loads: Sequence[Load], effort: Effort, *, before_round: Callable[[], None]
) -> dict[Load, list[float]]:
    """The rate of each load in each round; a round measures every load, one after the other."""
    sizes = calibrate(pool, loads, effort)
    rounds = []
    for _ in range(effort.rounds):
        before_round()
        rounds.append(measure_once(pool, sizes))
    return {load: [rates[load] for rates in rounds] for load in loads}


def calibrate(pool: Writers, loads: Sequence[Load], effort: Effort) -> dict[Load, int]:
    """How many transfers each writer makes in the time there is. Warms everything up as well."""
    sizes = {load: _filling(pool, load, effort) for load in loads}
    # A plan kept from when the tables were empty would go on scanning them.
    run("ANALYZE")
    return sizes


def _filling(pool: Writers, load: Load, effort: Effort) -> int:
    """Transfers per writer that take so long. A cold start looks slow, so it looks again."""
    transfers = load.whole_batches(CALIBRATION_TRANSFERS)
    for _ in range(CALIBRATIONS_MAX):
        enough = load.whole_batches(pool.rate(load, transfers) * effort.seconds)
        if enough <= transfers:
            break
        transfers = enough
    return transfers


def measure_once(pool: Writers, sizes: dict[Load, int]) -> dict[Load, float]:
    """The rate of each load, none of them paying for the row versions that others left behind."""
    rates = {}
    for load, transfers in sizes.items():
        run(VACUUM_BALANCES)
        rates[load] = pool.rate(load, transfers)
    return rates


@contextmanager
def writers() -> Iterator[Writers]:
    """Writers live inside this block."""
    spawning = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(WRITERS_MAX):
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_write_until_told, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        yield Writers(pipes)
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(timeout=5)
            process.terminate()


def _write_until_told(pipe: Connection) -> None:
    import django

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches them all; the parent tells them
    django.setup()
    from benchmarks.contenders import PREPARE

    work: Work | None = None
    while (message := _received(pipe)) is not None:
        try:
            if message == "leave":
                connection.close()
                pipe.send(None)
            elif message == "go":
                pipe.send(_timed(work))
            else:
                database, load, transfers = message
                if connection.settings_dict["NAME"] != database:
                    use(database)
                work = PREPARE[load.contender](load, transfers)
                connection.ensure_connection()
                pipe.send("ready")
        except Exception as error:
            pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _received(pipe: Connection) -> object:
    try:
        return pipe.recv()
    except EOFError:
        return None


def _timed(work: Work) -> tuple[float, float, int]:
    # What was prepared is no garbage of the work: do not let the collector walk it over and over.
    gc.collect()
    gc.freeze()
    try:
        started = time.monotonic()
        transfers = work()
        return started, time.monotonic(), transfers
    finally:
        gc.unfreeze()
