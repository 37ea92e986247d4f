"""PostgreSQL and Valkey for a bare checkout, shared by its processes; the last one out stops them.

Importing this starts nothing. Who needs the servers enters `held()`: a shared lock says "in use"
for as long as the process lives, even if it is killed, so whoever leaves last can tell.
"""

import fcntl
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import environ

from config.embedded.daemons import Daemon, say
from config.embedded.places import (
    CHECKOUT,
    SERVER_USER,
    Places,
    ServersUnavailable,
    data_dir,
    find_places,
    make_data_dir,
    prepare,
)
from config.embedded.postgres import Postgres
from config.embedded.postgres import database_url as _database_url
from config.embedded.valkey import Valkey
from config.embedded.valkey import redis_url as _redis_url

__all__ = [
    "ServersUnavailable",
    "data_dir",
    "database_url",
    "down",
    "held",
    "held_for_command",
    "redis_url",
    "status",
    "up",
]

SERVERLESS_COMMANDS = {
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "services",
    "spectacular",
    "startapp",
    "version",
}
SERVERLESS_OPTIONS = {"-h", "--help", "--version"}


@dataclass(frozen=True)
class ServerStatus:
    name: str
    is_running: bool
    pid: int | None
    url: str
    log: str


@dataclass(frozen=True)
class Status:
    """What runs where. `is_kept` means `up` was said, so that no command stops the servers."""

    data_dir: str
    is_kept: bool
    servers: list[ServerStatus]

    @property
    def is_running(self) -> bool:
        return all(server.is_running for server in self.servers)


def database_url() -> str:
    return _database_url(find_places())


def redis_url() -> str:
    return _redis_url(find_places())


@contextmanager
def held() -> Iterator[None]:
    """The servers run inside this block; they stop after it unless somebody else needs them."""
    if not _wanted():
        yield
        return
    places = find_places()
    make_data_dir(places.data)
    holder = os.getpid()
    with _terminations_raised(), _open_lock(places.data / "holders.lock") as holders:
        fcntl.flock(holders, fcntl.LOCK_SH)
        try:
            with _start_lock(places):
                _start(places)
            yield
        finally:
            # A forked child that unwinds this block leaves the servers to its parent.
            if os.getpid() == holder:
                with _start_lock(places):
                    if not _keep_file(places).exists() and _is_unused(holders):
                        _stop(places)
                    # Said aloud because a forked child would keep the lock alive by itself.
                    fcntl.flock(holders, fcntl.LOCK_UN)


def up() -> None:
    """The servers run and go on running after this process, until `down()`."""
    places = find_places()
    make_data_dir(places.data)
    with _start_lock(places):
        _start(places)
        _keep_file(places).touch()


def down() -> bool:
    """Nobody keeps the servers any more: they stop now, or (False) when their last user leaves."""
    places = find_places()
    if not places.data.exists():
        return True
    with _start_lock(places), _open_lock(places.data / "holders.lock") as holders:
        _keep_file(places).unlink(missing_ok=True)
        if not _is_unused(holders):
            return False
        _stop(places)
        return True


def status() -> Status:
    """What runs now. Looks only: nothing is started, made or changed."""
    places = find_places()
    urls = {Postgres: _database_url(places), Valkey: _redis_url(places)}
    return Status(
        data_dir=str(places.data),
        is_kept=_keep_file(places).exists(),
        servers=[
            ServerStatus(
                name=server.name,
                is_running=server.is_ready(),
                pid=server.pid(),
                url=urls[type(server)],
                log=str(server.log),
            )
            for server in _needed(places)
        ],
    )


@contextmanager
def held_for_command(argv: Sequence[str]) -> Iterator[None]:
    """The servers run around a management command, unless it is one that never needs them."""
    environ.Env.read_env(CHECKOUT / ".env")
    with ExitStack() as stack:
        if _needs_servers(argv):
            try:
                stack.enter_context(held())
            except ServersUnavailable as problem:
                raise SystemExit(f"tieout: {problem}") from None
        yield


def _needs_servers(argv: Sequence[str]) -> bool:
    arguments = argv[1:]
    if not arguments or SERVERLESS_OPTIONS.intersection(arguments):
        return False
    return arguments[0] not in SERVERLESS_COMMANDS and list(arguments) != ["check"]


def _needed(places: Places) -> list[Daemon]:
    return [server(places) for server in _wanted()]


def _wanted() -> list[type[Postgres] | type[Valkey]]:
    """The servers that no URL replaces. Production never falls back to embedded ones."""
    if os.environ.get("TIEOUT_ENV") == "production":
        return []
    replaced_by: dict[str, type[Postgres] | type[Valkey]] = {
        "DATABASE_URL": Postgres,
        "REDIS_URL": Valkey,
    }
    return [server for name, server in replaced_by.items() if not os.environ.get(name)]


def _start(places: Places) -> None:
    servers = [server for server in _needed(places) if not server.is_ready()]
    if not servers:
        return
    if places.has_moved:
        say(f"{SERVER_USER!r} cannot reach {places.data}, so the servers live in {places.home}")
    prepare(places)
    for server in servers:
        server.start()


def _stop(places: Places) -> None:
    """Stop both, whichever this process needed: the last user may not be the one who started."""
    stopping = [(server, server.ask_to_stop()) for server in (Postgres(places), Valkey(places))]
    for server, pid in stopping:
        if pid:
            server.wait_until_stopped(pid)


def _keep_file(places: Places) -> Path:
    return places.data / "keep"


@contextmanager
def _start_lock(places: Places) -> Iterator[None]:
    with _open_lock(places.data / "start.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise ServersUnavailable(
            f"{path} belongs to another user; set TIEOUT_DATA_DIR to a directory of your own."
        ) from error
    try:
        yield lock
    finally:
        os.close(lock)


def _is_unused(holders: int) -> bool:
    """Nobody else holds the servers. Only true for as long as the start lock is held, too."""
    try:
        fcntl.flock(holders, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _terminations_raised() -> Iterator[None]:
    """SIGTERM and a closed terminal unwind the process, unless it has its own way with them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    unhandled = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in unhandled:
        signal.signal(number, _leave)
    try:
        yield
    finally:
        for number in unhandled:
            if signal.getsignal(number) is _leave:
                signal.signal(number, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
