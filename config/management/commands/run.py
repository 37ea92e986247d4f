"""`manage.py run`: the whole platform with demo data, until Ctrl-C."""

import io
import socket
import urllib.request
from contextlib import suppress
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from config import processes
from config.supervisor import StopRequest, running, signals_awaited

READY_POLL_SECONDS = 0.3
READY_TIMEOUT_SECONDS = 5


class Command(BaseCommand):
    help = "Migrate, load the demo data and run web, worker and beat on PORT (8000) until Ctrl-C."
    requires_system_checks = []

    def handle(self, **_options: Any) -> None:
        port = processes.port_from_environment()
        _refuse_taken(port)
        self._say("migrating ...")
        call_command("migrate", interactive=False, verbosity=0)
        self._say("loading the demo data ...")
        log_ins = io.StringIO()
        call_command("seed_demo", stdout=log_ins)
        connections.close_all()

        self._say("starting web, worker and beat ...")
        # A second Ctrl-C ends the grace of the children, which is all there is to say about it.
        with (
            suppress(KeyboardInterrupt),
            running(processes.everything(port)),
            signals_awaited() as stop,
        ):
            if _becomes_ready(f"http://127.0.0.1:{port}/api/v1/ready", stop):
                self._say(f"ready: http://127.0.0.1:{port}/ (Ctrl-C stops it)")
                self._say(log_ins.getvalue().rstrip())
            stop.wait()
            self._say("stopping ...")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def _becomes_ready(url: str, stop: StopRequest) -> bool:
    """Wait until the platform answers 200; False when it is stopped before that."""
    while not stop.wait(READY_POLL_SECONDS):
        try:
            with urllib.request.urlopen(url, timeout=READY_TIMEOUT_SECONDS) as answer:
                if answer.status == 200:
                    return True
        except OSError:
            continue
    return False


def _refuse_taken(port: int) -> None:
    """Another program's port is said at once, not found in the log of a web server that retries."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}); set PORT."
            ) from None
