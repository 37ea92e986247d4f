"""The embedded PostgreSQL: a durable cluster that is reached through a socket only."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from config.embedded.daemons import Daemon, run_as_server, server_environment
from config.embedded.places import POSTGRES_SOCKET, Places

DATABASE = "tieout"
IS_ACCEPTING = 0

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",  # as much as a load of a million lines writes
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_preload_libraries": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
# The builtin locale sorts alike on every system and never changes with an upgrade of libc.
INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
)


class Postgres(Daemon):
    name = "PostgreSQL 18"
    stop_signal = signal.SIGINT  # a fast shutdown: clients are sent away, everything is written

    @property
    def cluster(self) -> Path:
        return self.places.servers / "postgres"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    @property
    def marker(self) -> Path:
        return self.cluster

    @property
    def log(self) -> Path:
        return self.places.servers / "postgres.log"

    def is_ready(self) -> bool:
        if not (self.places.sockets / POSTGRES_SOCKET).exists():
            return False
        # A pid file or `pg_ctl status` still says "running" right after a kill -9.
        answer = subprocess.run(
            [
                self.places.postgres_programs / "pg_isready",
                *("-q", "-U", "postgres", "-d", "postgres", "-h", self.places.sockets),
            ],
            env=server_environment(),
            check=False,
        )
        return answer.returncode == IS_ACCEPTING

    def command(self) -> Sequence[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self.places.sockets)}
        options = [part for pair in settings.items() for part in ("-c", "=".join(pair))]
        return [str(self.places.postgres_programs / "postgres"), "-D", str(self.cluster), *options]

    def prepare(self) -> None:
        """A cluster with its database appears by one rename, so it is never half there."""
        if self.cluster.exists():
            return
        for left_over in self.places.servers.glob("postgres.new.*"):
            shutil.rmtree(left_over, ignore_errors=True)
        # A name of its own, because the initdb of a starter that was killed may still be writing.
        half_made = self.cluster.with_name(f"postgres.new.{os.getpid()}")
        programs = self.places.postgres_programs
        run_as_server([programs / "initdb", *INITDB_OPTIONS, "-D", half_made])
        run_as_server(
            [programs / "postgres", "--single", "-D", half_made, "postgres"],
            stdin=f"CREATE DATABASE {DATABASE}\n",
        )
        half_made.rename(self.cluster)


def database_url(places: Places) -> str:
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(places.sockets))}"
