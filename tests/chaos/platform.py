"""Web, workers and beats as real processes, to be killed and paused.

What dies is started again by the supervisor of `manage.py run`, as on a real machine.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from config.embedded.places import CHECKOUT
from config.supervisor import Process, Supervisor
from payments.process_metrics import FOLDER_VARIABLE
from tests.support.own_names import broker_url

WATCH_SECONDS = 0.05
FOREIGN = ("DATABASE_URL", "REDIS_URL", "CELERY_", "TIEOUT_", "PG", "GATEWAY_", "RATE_LIMIT_")


class Platform:
    """The processes on a database and a Redis that are there; their log is in the folder."""

    def __init__(self, folder: Path, *, database_url: str, redis_url: str, **more: str) -> None:
        self.folder, self.database_url, self.redis_url = folder, database_url, redis_url
        self.broker_url = broker_url(redis_url)
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        (folder / "metrics").mkdir()
        self.environment = {
            **dict.fromkeys((name for name in os.environ if name.startswith(FOREIGN)), ""),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CELERY_BROKER_URL": "",
            "PORT": str(self.port),
            "TIEOUT_DATA_DIR": str(folder / "data"),
            "LEDGER_ANCHOR_FILE": str(folder / "anchors.log"),
            FOLDER_VARIABLE: str(folder / "metrics"),
            **more,
        }
        self.log = (folder / "log").open("ab")
        self.supervisors: list[Supervisor] = []
        self.watcher: Watcher | None = None

    def open(self, *, workers: int = 2, beats: int = 1, web: bool = True) -> None:
        """Start web, workers and beats, all supervised."""
        wanted = [self.process("web", "web")] if web else []
        wanted += [self.process("worker", f"worker{n}") for n in range(1, workers + 1)]
        wanted += [self.process("beat", f"beat{n}") for n in range(1, beats + 1)]
        self.watcher = Watcher(self.add(*wanted))
        self.watcher.start()

    def process(self, kind: str, name: str, **environment: str) -> Process:
        """A web server, worker or beat, as containers start it."""
        argv = [sys.executable, "-m", "config.processes", kind]
        return Process(name, argv, {**self.environment, **environment})

    def add(self, *wanted: Process) -> Supervisor:
        """More processes, which end when their supervisor is stopped."""
        self.supervisors.append(Supervisor(wanted, self.log))
        self.supervisors[-1].start()
        return self.supervisors[-1]

    def shut(self) -> None:
        """All processes have ended as SIGTERM ends them."""
        if self.watcher:
            self.watcher.stop()
            self.watcher = None
        while self.supervisors:
            self.supervisors.pop().stop()

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, check=check)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, on these servers."""
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, **self.environment},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def query(self, statement: str, params: Any = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement, params)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, socket_timeout=5)

    def main_pid(self, name: str) -> int | None:
        """The process that leads worker1, web …; None while it is down."""
        return self.supervisors[0].pids().get(name)

    def kill_group(self, name: str) -> None:
        """kill -9 a process and all its children."""
        pid = self.main_pid(name)
        if pid:
            self._expect_death_of(pid)
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def kill_main(self, name: str) -> None:
        """kill -9 a process, and leave its children to whoever finds them."""
        pid = self.main_pid(name)
        if pid:
            self._expect_death_of(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_child(self, name: str, *, which: int) -> None:
        """kill -9 one process of a worker or of the web server."""
        children = self.children(self.main_pid(name))
        if children:
            with suppress(ProcessLookupError):
                os.kill(children[which % len(children)], signal.SIGKILL)

    def children(self, pid: int | None) -> list[int]:
        try:
            return sorted(child.pid for child in psutil.Process(pid).children()) if pid else []
        except psutil.NoSuchProcess:
            return []

    def pause(self, pid: int | None) -> None:
        """SIGSTOP a process and its children: they keep all they hold and do nothing."""
        for each in [pid, *self.children(pid)]:
            if each:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGSTOP)

    def resume(self, pid: int | None) -> None:
        for each in [*self.children(pid), pid]:
            if each:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)

    def unexpected_deaths(self) -> list[str]:
        """Processes that ended, since this was asked last, although nobody here had killed them."""
        if self.watcher is None:
            return []
        noted, self.watcher.unexpected = self.watcher.unexpected, []
        return noted

    def _expect_death_of(self, pid: int) -> None:
        if self.watcher:
            self.watcher.killed.add(pid)


class Watcher(threading.Thread):
    """Sees which supervised processes end, and whether somebody here has killed them."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__(name="watcher", daemon=True)
        self.supervisor = supervisor
        self.killed: set[int] = set()
        self.unexpected: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        before: dict[str, int] = {}
        while not self.stopping.wait(WATCH_SECONDS):
            now = self.supervisor.pids()
            self.unexpected += [
                f"{name} (pid {pid}) ended by itself"
                for name, pid in before.items()
                if now.get(name) != pid and pid not in self.killed
            ]
            before = now

    def stop(self) -> None:
        self.stopping.set()
        self.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
