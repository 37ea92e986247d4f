"""One data directory with its servers, and the processes that hold them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.embedded.places import Places, find_places

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30
IS_ROOT = os.geteuid() == 0
# Everything is imported first: after the change of user the interpreter may be out of reach.
PROGRAM = """
import dataclasses, json, os, pwd, signal, subprocess, sys
from config import embedded
if user := os.environ.get("RUN_AS"):
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
if sys.argv[1] == "hold":
    with embedded.held():
        print(json.dumps(dataclasses.asdict(embedded.status())), flush=True)
        sys.stdin.read()
else:
    print(getattr(embedded, sys.argv[1])())
"""


class Holder:
    """A process inside `held()`: it says what runs, and leaves when its input ends."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "hold"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=CHECKOUT,
            start_new_session=True,
        )

    def wait_until_up(self) -> "Holder":
        answer = self.process.stdout.readline()
        assert answer, self.process.stderr.read()
        self.servers = {server["name"]: server for server in json.loads(answer)["servers"]}
        return self

    @property
    def pids(self) -> set[int]:
        return {server["pid"] for server in self.servers.values()}

    @property
    def postgres_pid(self) -> int:
        return self.servers["PostgreSQL 18"]["pid"]

    @property
    def valkey_pid(self) -> int:
        return self.servers["Valkey 9"]["pid"]

    def query(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.servers["PostgreSQL 18"]["url"]) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.servers["Valkey 9"]["url"], decode_responses=True)

    def leave(self) -> str:
        """End in good order; the answer is what it said on stderr."""
        _, said = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, said
        return said

    def end_by(self, number: signal.Signals) -> int:
        """Send a signal to its whole process group, as a terminal does; return its exit code."""
        os.killpg(self.process.pid, number)
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Instance:
    """A data directory of its own; nothing of it is left after `destroy`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.holders: list[Holder] = []

    @property
    def places(self) -> Places:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TIEOUT_DATA_DIR", str(self.data))
            return find_places()

    def environment(self, **more: str) -> dict[str, str]:
        foreign = ("DATABASE_URL", "REDIS_URL", "TIEOUT_", "PG")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
        return {**kept, "TIEOUT_DATA_DIR": str(self.data), **more}

    def begin_holding(self, **environment: str) -> Holder:
        self.holders.append(Holder(self.environment(**environment)))
        return self.holders[-1]

    def hold(self, **environment: str) -> Holder:
        return self.begin_holding(**environment).wait_until_up()

    def do(self, action: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, action],
            env=self.environment(),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def running_pids(self) -> set[int]:
        homes = {str(self.places.home), str(self.places.sockets)}
        return {
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if any(home in part for home in homes for part in process.info["cmdline"] or ())
        }

    def destroy(self) -> None:
        for holder in self.holders:
            holder.kill()
        for pid in self.running_pids():
            os.kill(pid, signal.SIGKILL)
        for home in {self.places.home, self.places.sockets.parent, self.data}:
            shutil.rmtree(home, ignore_errors=True)


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at, "It did not happen in time."
        time.sleep(0.02)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder other users may pass through, unlike pytest's own temporary ones."""
    made = Path(tempfile.mkdtemp(prefix="tieout-test-")).resolve()
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def instance(folder: Path) -> Iterator[Instance]:
    made = Instance(folder / "data")
    yield made
    made.destroy()


def status_of(instance: Instance) -> embedded.Status:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "REDIS_URL", "TIEOUT_ENV"):
            patch.delenv(name, raising=False)
        patch.setenv("TIEOUT_DATA_DIR", str(instance.data))
        return embedded.status()
