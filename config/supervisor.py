"""Keep named child processes running: prefix what they say, restart what dies, take all along."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

CHECKOUT = Path(__file__).resolve().parent.parent
LEASH = Path(__file__).with_name("leash.py")
FIRST_PAUSE_SECONDS = 0.5
PAUSE_SECONDS_MAX = 10.0
# A child that lived this long was healthy, so its next death is a first one again.
HEALTHY_AFTER_SECONDS = 30.0
GRACE_SECONDS = 25.0
LAST_WORDS_SECONDS = 1.0
POLL_SECONDS = 0.05
LINE_BYTES_MAX = 65_536
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Process:
    """A program to keep running. `env` comes on top of the supervisor's own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Child:
    """One process and its successors. Only the supervising thread starts and restarts it."""

    def __init__(self, process: Process, printer: "Printer") -> None:
        self.process = process
        self.printer = printer
        self.running: subprocess.Popen[bytes] | None = None
        self.reader: threading.Thread | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.pause_seconds = FIRST_PAUSE_SECONDS

    def tend(self) -> None:
        """Start it when its time has come; notice when it has died."""
        if self.running is None:
            if time.monotonic() >= self.start_again_at:
                self._start()
        elif self.running.poll() is not None:
            ending = f"ended with {self.running.returncode}"
            self.kill()  # what its own workers may have left behind
            if time.monotonic() - self.started_at >= HEALTHY_AFTER_SECONDS:
                self.pause_seconds = FIRST_PAUSE_SECONDS
            self._pause(ending)

    def ask_to_stop(self) -> None:
        # Only the leader is asked: it knows how to end its own workers with their work done.
        if self.running:
            self.running.terminate()

    def has_ended(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def kill(self) -> None:
        """Nothing of its process group is left, and its last words are written."""
        if self.running:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None
        if self.reader:
            self.reader.join(LAST_WORDS_SECONDS)
            self.reader = None

    def _start(self) -> None:
        self.started_at = time.monotonic()
        try:
            # A group of its own keeps the terminal's Ctrl-C away: the supervisor ends the children.
            self.running = subprocess.Popen(
                [sys.executable, "-IS", str(LEASH), str(os.getpid()), *self.process.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.process.env},
                cwd=CHECKOUT,
                start_new_session=True,
            )
        except OSError as problem:
            self._pause(f"cannot be started ({problem})")
            return
        words = (self.process.name, self.running.stdout)
        self.reader = threading.Thread(target=self.printer.copy, args=words, daemon=True)
        self.reader.start()

    def _pause(self, reason: str) -> None:
        announcement = f"{reason}; starts again in {self.pause_seconds:g} s"
        self.printer.line(self.process.name, announcement.encode())
        self.start_again_at = time.monotonic() + self.pause_seconds
        self.pause_seconds = min(2 * self.pause_seconds, PAUSE_SECONDS_MAX)


class Printer:
    """Writes whole lines of many processes to one stream, each with the name of who said it."""

    def __init__(self, stream: BinaryIO, names: Sequence[str]) -> None:
        self.stream = stream
        self.width = max(map(len, names), default=0)
        self.lock = threading.Lock()

    def line(self, name: str, text: bytes) -> None:
        with self.lock:
            try:
                self.stream.write(f"{name:<{self.width}} | ".encode() + text + b"\n")
                self.stream.flush()
            except OSError:
                # After `| head`, or without its terminal, nobody listens; the children talk on
                # and would block on a full pipe.
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self.stream.fileno())
                os.close(nowhere)

    def copy(self, name: str, source: BinaryIO) -> None:
        with source:
            while line := source.readline(LINE_BYTES_MAX):
                self.line(name, line.rstrip(b"\r\n"))


class Supervisor:
    """Supervises in a thread of its own, which lives as long as the children do.

    That thread starts them all, because the kernel ends a leashed child with the very thread
    that started it.
    """

    def __init__(self, processes: Sequence[Process], output: BinaryIO) -> None:
        printer = Printer(output, [process.name for process in processes])
        self.children = [Child(process, printer) for process in processes]
        self.stopping = threading.Event()
        self.hurry = threading.Event()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._supervise, name="supervisor")

    def pids(self) -> dict[str, int]:
        """The pid of each child that runs, by name."""
        return {
            child.process.name: child.running.pid
            for child in self.children
            if child.running and child.running.returncode is None
        }

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Every child has ended: gently within the grace period, by force after it or a Ctrl-C."""
        self.stopping.set()
        try:
            # Not thread.join(): interrupted once, Python 3.11 takes the thread for ended.
            self.ended.wait()
        except BaseException:
            self.hurry.set()
            self.ended.wait()
            raise

    def _supervise(self) -> None:
        while not self.stopping.is_set():
            for child in self.children:
                child.tend()
            self.stopping.wait(POLL_SECONDS)
        for child in self.children:
            child.ask_to_stop()
        give_up_at = time.monotonic() + GRACE_SECONDS
        while left := [child for child in self.children if child.running]:
            is_over = self.hurry.wait(POLL_SECONDS) or time.monotonic() > give_up_at
            for child in left:
                if is_over or child.has_ended():
                    child.kill()
        self.ended.set()


@contextmanager
def running(
    processes: Sequence[Process], *, output: BinaryIO | None = None
) -> Iterator[Supervisor]:
    """The processes run inside this block; what they say goes to `output`, by default stdout."""
    supervisor = Supervisor(processes, output or sys.stdout.buffer)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


class StopRequest:
    """Whether somebody has asked this process to stop."""

    def __init__(self) -> None:
        self.has_come = False

    def wait(self, seconds: float = math.inf) -> bool:
        """Wait for it, at most this long."""
        # Not a threading.Event: set by a signal handler that interrupts itself, it deadlocks.
        give_up_at = time.monotonic() + seconds
        while not self.has_come and time.monotonic() < give_up_at:
            time.sleep(POLL_SECONDS)
        return self.has_come


@contextmanager
def signals_awaited() -> Iterator[StopRequest]:
    """Inside this block Ctrl-C, SIGTERM and a closed terminal are noted instead of ending it."""
    request = StopRequest()

    def note(_number: int, _frame: FrameType | None) -> None:
        request.has_come = True

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_signal(processes: Sequence[Process], *, output: BinaryIO | None = None) -> None:
    """Run the processes until somebody says stop."""
    with running(processes, output=output), signals_awaited() as stop:
        stop.wait()
