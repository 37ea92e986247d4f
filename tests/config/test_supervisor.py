"""The supervisor with real children: prefixed output, restarts, and nobody left behind."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from config import processes, supervisor
from config.supervisor import Process, Supervisor, running

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 20
SUPERVISE = """
import sys
from config.supervisor import Process, run_until_signal
run_until_signal([Process(f"p{n}", ["sh", "-c", script]) for n, script in enumerate(sys.argv[1:])])
"""


def wait_for(condition: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "It did not happen in time."
        time.sleep(0.02)


def sh(name: str, script: str, **environment: str) -> Process:
    return Process(name, ["sh", "-c", script], environment)


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def start_supervisor(*scripts: str) -> tuple[subprocess.Popen, list[int]]:
    """Start a supervisor in a process of its own; each script says its pid in its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, *scripts],
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        start_new_session=True,
    )
    pids = [int(process.stdout.readline().split("|")[1]) for _ in scripts]
    return process, pids


def test_lines_carry_the_name_of_who_said_them() -> None:
    output = io.BytesIO()
    chatty = sh(
        "web", 'echo "to stdout $GREETING"; echo to stderr >&2; exec sleep 60', GREETING="hi"
    )

    with running([chatty, sh("worker", "echo there; exec sleep 60")], output=output):
        wait_for(lambda: output.getvalue().count(b"\n") == 3)

    assert sorted(output.getvalue().decode().splitlines()) == [
        "web    | to stderr",
        "web    | to stdout hi",
        "worker | there",
    ]


def test_child_that_dies_is_started_again_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "PAUSE_SECONDS_MAX", 0.2)
    output = io.BytesIO()

    with running([sh("job", "exit 3")], output=output):
        wait_for(lambda: output.getvalue().count(b"\n") >= 4)

    assert output.getvalue().decode().splitlines()[:4] == [
        "job | ended with 3; starts again in 0.1 s",
        "job | ended with 3; starts again in 0.2 s",
        "job | ended with 3; starts again in 0.2 s",
        "job | ended with 3; starts again in 0.2 s",
    ]


def test_killed_child_comes_back_and_the_others_stay() -> None:
    with running(
        [sh("one", "exec sleep 60"), sh("two", "exec sleep 60")], output=io.BytesIO()
    ) as us:
        wait_for(lambda: len(us.pids()) == 2)
        before = us.pids()

        os.kill(before["one"], signal.SIGKILL)
        wait_for(lambda: us.pids().get("one") not in (None, before["one"]))

        after = us.pids()
        assert after["two"] == before["two"]
    assert not any(map(is_alive, [*before.values(), *after.values()]))


def test_program_that_does_not_exist_does_not_stop_the_others() -> None:
    output = io.BytesIO()

    with running(
        [Process("gone", ["/no/such/program"]), sh("job", "exec sleep 60")], output=output
    ):
        wait_for(lambda: b"gone | ended with 1; starts again" in output.getvalue())


def test_children_may_finish_their_work_when_they_are_asked_to_stop() -> None:
    output = io.BytesIO()
    careful = "trap 'echo finishing; sleep 0.3; echo done; exit' TERM; echo ready; sleep 60 & wait"

    with running([sh("job", careful)], output=output):
        wait_for(lambda: b"ready" in output.getvalue())

    assert output.getvalue().decode().splitlines() == [
        "job | ready",
        "job | finishing",
        "job | done",
    ]


def test_stubborn_child_and_its_descendants_are_killed_after_the_grace_period(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.3)
    output = io.BytesIO()
    stubborn = "trap '' TERM; sh -c 'echo $$; exec sleep 60' & echo $$; sleep 60; sleep 60"

    with running([sh("job", stubborn)], output=output):
        wait_for(lambda: output.getvalue().count(b"\n") == 2)

    pids = [int(line.split(b"|")[1]) for line in output.getvalue().splitlines()]
    wait_for(lambda: not any(map(is_alive, pids)))


def test_stopping_waits_no_longer_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second Ctrl-C means now."""
    output = io.BytesIO()
    us = Supervisor([sh("job", "trap '' TERM; echo ready; while :; do sleep 1; done")], output)
    us.start()
    wait_for(lambda: b"ready" in output.getvalue())
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    began_at = time.monotonic()
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        us.stop()

    assert time.monotonic() - began_at < 5
    assert us.pids() == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_to_the_supervisor_ends_it_and_its_children(number: signal.Signals) -> None:
    process, pids = start_supervisor("echo $$; exec sleep 60", "echo $$; exec sleep 60")

    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 0
    assert not any(map(is_alive, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ends children with their parent.")
def test_killed_supervisor_leaves_nothing_behind() -> None:
    process, pids = start_supervisor("echo $$; exec sleep 60", "echo $$; exec sleep 60")
    assert all(map(is_alive, pids))

    process.kill()
    process.communicate()

    wait_for(lambda: not any(map(is_alive, pids)))


def test_children_survive_a_reader_that_went_away() -> None:
    """`manage.py run | head` must not block the platform on a full pipe."""
    process, (pid,) = start_supervisor("echo $$; while :; do echo noise; sleep 0.01; done")

    process.stdout.close()
    time.sleep(0.5)

    assert process.poll() is None
    assert is_alive(pid)
    process.terminate()
    assert process.wait(PATIENCE_SECONDS) == 0


def test_the_platform_is_three_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIND_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("PORT", "8123")

    everything = processes.everything(processes.port_from_environment())

    assert [process.name for process in everything] == ["web", "worker", "beat"]
    web = list(everything[0].argv)
    assert web[web.index("--host") + 1] == "0.0.0.0"
    assert web[web.index("--port") + 1] == "8123"
