"""What processes count is added up, whether they live or have ended."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from payments import process_metrics
from tests.support.servers import Child, wait_for

# Counts as often as each line it reads says.
COUNTING = """
import sys
from prometheus_client import Counter, Histogram
calls = Counter("calls_total", "Calls.", ["kind"])
seconds = Histogram("seconds", "Time.", buckets=[1, 5])
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        calls.labels("a").inc()
        seconds.observe(2)
    print("counted", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(process_metrics.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def living(folder: Path) -> Iterator[Child]:
    """A process that has counted 5."""
    child = Child([sys.executable, "-c", COUNTING], folder)
    wait_for(lambda: child.lines() == ["ready"])
    child.say("5")
    wait_for(lambda: child.lines() == ["ready", "counted"])
    yield child
    child.kill_group()


def count(times: int) -> None:
    """A process counts and ends."""
    subprocess.run(
        [sys.executable, "-c", COUNTING], input=f"{times}\n".encode(), check=True, timeout=60
    )


def calls() -> int:
    return process_metrics.totals("calls_total", "kind").get("a", 0)


def test_processes_are_added_up_dead_or_alive(living: Child, folder: Path) -> None:
    for times in (1, 2, 3):
        count(times)

    assert calls() == 11
    living.say("4")
    wait_for(lambda: len(living.lines()) == 3)
    assert calls() == 15
    living.kill_group()
    assert calls() == 15


def test_files_of_ended_processes_become_one(living: Child, folder: Path) -> None:
    for _ in range(3):
        count(1)
    assert len(list(folder.glob("counter_*.db"))) == 4

    process_metrics.tidy()

    names = {path.stem for path in folder.glob("*.db")}
    assert {name for name in names if name.endswith("_ended")} == {
        "counter_ended",
        "histogram_ended",
    }
    assert len(names) == 4
    assert calls() == 8


def test_buckets_are_added_up_too(folder: Path) -> None:
    for _ in range(2):
        count(10)
        process_metrics.tidy()

    text = process_metrics.exposition().decode()

    assert 'seconds_bucket{le="1.0"} 0.0' in text
    assert 'seconds_bucket{le="5.0"} 20.0' in text
    assert "seconds_count 20.0" in text
    assert "seconds_sum 40.0" in text


def test_file_that_is_only_just_made_counts_nothing(folder: Path) -> None:
    count(4)
    (folder / f"counter_{os.getpid()}.db").touch()
    (folder / "histogram_999999999.db").touch()

    assert calls() == 4
    assert not (folder / "histogram_999999999.db").exists()


def test_no_total_ever_falls_while_processes_come_and_go(folder: Path) -> None:
    seen, has_ended = [], threading.Event()

    def look() -> None:
        while not has_ended.is_set():
            seen.append(calls())

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        count(200)
    has_ended.set()
    for reader in readers:
        reader.join()

    assert calls() == 1_000
    assert len(seen) > 5
    assert max(seen) <= 1_000


def test_process_without_a_folder_knows_its_own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(process_metrics.FOLDER_VARIABLE, raising=False)

    assert b"tieout_doorbells_total" in process_metrics.exposition()
