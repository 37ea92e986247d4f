"""A server process that outlives its starter: start it, know it again by its pid file, stop it."""

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from config.embedded.places import Places, ServersUnavailable, server_user

# After a kill -9 the orphans of the old server hold its files for some seconds.
START_SECONDS_MAX = 15
# A living server may be replaying what a crash left behind.
READY_SECONDS_MAX = 300
STOP_SECONDS_MAX = 30
POLL_SECONDS = 0.02
LOG_BYTES_MAX = 20_000_000

# "$!" tells the pid of a process that is nobody's child, so a dead one never stays as a zombie.
LAUNCHER = 'log="$1"; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


class Daemon(ABC):
    """One embedded server. Whoever holds the start lock may start and stop it."""

    name: str
    stop_signal: int

    def __init__(self, places: Places) -> None:
        self.places = places

    @property
    @abstractmethod
    def pid_file(self) -> Path: ...

    @property
    @abstractmethod
    def marker(self) -> Path:
        """A path that is in this server's command line and in no other's."""

    @property
    @abstractmethod
    def log(self) -> Path: ...

    @abstractmethod
    def command(self) -> Sequence[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    @abstractmethod
    def prepare(self) -> None:
        """The data directory is complete, or this raises and a later call begins again."""

    def pid(self) -> int | None:
        """The pid of the living server; None for a stale pid file or one that is another's."""
        pid = self._noted_pid()
        return pid if pid and self._is_ours(pid) else None

    def start(self) -> None:
        """The server answers, whatever state the last one was left in."""
        if self.is_ready():
            return
        say(f"starting {self.name} in {self.places.name} …")
        self.prepare()
        give_up_at = time.monotonic() + START_SECONDS_MAX
        while not self._becomes_ready(self.pid() or self._launch()):
            if time.monotonic() > give_up_at:
                raise ServersUnavailable(f"{self.name} does not start; its log is {self.log}.")
            time.sleep(0.2)

    def ask_to_stop(self) -> int | None:
        pid = self.pid()
        if pid:
            os.kill(pid, self.stop_signal)
        return pid

    def wait_until_stopped(self, pid: int) -> None:
        give_up_at = time.monotonic() + STOP_SECONDS_MAX
        while self._is_ours(pid):
            if time.monotonic() > give_up_at:
                raise ServersUnavailable(f"{self.name} (pid {pid}) does not stop; see {self.log}.")
            time.sleep(POLL_SECONDS)

    def _noted_pid(self) -> int | None:
        try:
            return int(self.pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _launch(self) -> int:
        self._turn_log_over()
        noted = self._noted_pid()
        # PostgreSQL takes any living process of its user for a postmaster, after a reboot for
        # instance. A dead one's file stays: it leads to the orphans that must end first.
        if noted and command_line(noted) and not self._is_ours(noted):
            self.pid_file.unlink()
        return int(run_as_server(["/bin/sh", "-c", LAUNCHER, "sh", self.log, *self.command()]))

    def _becomes_ready(self, pid: int) -> bool:
        give_up_at = time.monotonic() + READY_SECONDS_MAX
        while self._is_ours(pid):
            if self.is_ready():
                return True
            if time.monotonic() > give_up_at:
                raise ServersUnavailable(
                    f"{self.name} (pid {pid}) runs but does not answer; see {self.log}."
                )
            time.sleep(POLL_SECONDS)
        return False

    def _is_ours(self, pid: int) -> bool:
        return str(self.marker) in command_line(pid)

    def _turn_log_over(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.old"))


def say(sentence: str) -> None:
    print(f"tieout: {sentence}", file=sys.stderr, flush=True)


def command_line(pid: int) -> str:
    """The command line of a living process; empty when there is none, or it is a zombie."""
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        if Path("/proc/self").exists():
            return ""
    answer = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def server_environment() -> dict[str, str]:
    # PGOPTIONS, PGSSLMODE and the like are meant for another server.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def run_as_server(argv: Sequence[str | Path], *, stdin: str = "") -> str:
    """Run a program as the user the servers run as, out of reach of the terminal's Ctrl-C."""
    owner = server_user()
    identity: dict[str, object] = {}
    if owner:
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=server_environment(),
            umask=0o077,
            start_new_session=True,
            **identity,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServersUnavailable(f"{argv[0]} cannot be run: {error}") from error
    if done.returncode:
        raise ServersUnavailable(f"{argv[0]} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout
