"""The embedded Valkey: every write is in its append-only file within a second."""

import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from config.embedded.daemons import Daemon, run_as_server
from config.embedded.places import VALKEY_SOCKET, Places

PING_SECONDS_MAX = 2


class Valkey(Daemon):
    name = "Valkey 9"
    stop_signal = signal.SIGTERM

    @property
    def directory(self) -> Path:
        return self.places.servers / "valkey"

    @property
    def pid_file(self) -> Path:
        return self.places.servers / "valkey.pid"

    @property
    def marker(self) -> Path:
        return self.directory

    @property
    def log(self) -> Path:
        return self.places.servers / "valkey.log"

    def is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PING_SECONDS_MAX)
                connection.connect(str(self.places.sockets / VALKEY_SOCKET))
                connection.sendall(b"PING\r\n")
                return connection.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def command(self) -> Sequence[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.places.sockets / VALKEY_SOCKET),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "pidfile": str(self.pid_file),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            # Keep the command line, which is how this server is known again.
            "set-proc-title": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(self.places.valkey_program), *options]

    def prepare(self) -> None:
        run_as_server(["/bin/mkdir", "-p", self.directory])


def redis_url(places: Places) -> str:
    return f"unix://{quote(str(places.sockets / VALKEY_SOCKET))}?db=0"
