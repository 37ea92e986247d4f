"""A platform with a PostgreSQL and a Valkey of its own, to be hurt as well.

Who has stopped one of these servers starts it again. Nothing is left after `close`.
"""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from config.embedded.places import find_places, make_data_dir, prepare
from config.embedded.postgres import Postgres, database_url
from config.embedded.valkey import Valkey, redis_url
from tests.chaos.listener import Listener
from tests.chaos.platform import Platform
from tests.chaos.seed import GATEWAY, LISTENER_VARIABLE

WEBHOOK_SECRET = "whsec_of_the_simulator_in_tests"
GATEWAY_SECONDS = "0.25"  # so that whoever is killed has something in hand


class House(Platform):
    """The servers run; `seed` fills the database and `open` starts the processes."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="tieout-chaos-")).resolve()
        folder.chmod(0o711)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TIEOUT_DATA_DIR", str(folder / "data"))
            self.places = find_places()
        self.postgres, self.valkey = Postgres(self.places), Valkey(self.places)
        self.listener = Listener()
        super().__init__(
            folder,
            database_url=database_url(self.places),
            redis_url=redis_url(self.places),
            SIMULATOR_LATENCY_SECONDS=GATEWAY_SECONDS,
            **{
                f"GATEWAY_{GATEWAY.upper()}_WEBHOOK_SECRET": WEBHOOK_SECRET,
                LISTENER_VARIABLE: self.listener.url,
            },
        )
        make_data_dir(self.places.data)
        prepare(self.places)
        self.postgres.start()
        self.valkey.start()

    def seed(self) -> None:
        """The tables are there, and who takes part."""
        self.manage("migrate", "--no-input", "--skip-checks")
        self.run("-m", "tests.chaos.seed")

    def close(self) -> None:
        """Nothing of it is left."""
        for pid in (self.postgres.pid(), self.valkey.pid()):
            if pid:
                self.resume(pid)
        self.shut()
        self.listener.close()
        for server in (self.postgres, self.valkey):
            pid = server.ask_to_stop()
            if pid:
                server.wait_until_stopped(pid)
        self.log.close()
        for place in {self.folder, self.places.home, self.places.sockets.parent}:
            shutil.rmtree(place, ignore_errors=True)

    def crash(self, server: Postgres | Valkey, number: signal.Signals) -> None:
        """The server and its children get the signal, and are gone when this returns."""
        pid = server.pid()
        assert pid
        children = self.children(pid) if number == signal.SIGKILL else []
        for each in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(each, number)
        server.wait_until_stopped(pid)
