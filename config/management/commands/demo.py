"""manage.py demo [--payments N] [--seed S]"""

import socket
import sys
import time
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from config import embedded, processes
from config.demo import day, report
from config.demo.seed import DEMO_KEY, OPERATORS, OWNER, PASSWORD, keys_for_a_day, seed_demo
from config.demo.traffic import Traffic, TrafficError, count_by
from config.supervisor import running
from ledger.commands import ServiceCommand

PAYMENTS = 240
PAYMENTS_MIN = 60
READY_WITHIN_SECONDS = 60
BAR_WIDTH = 30


class Command(ServiceCommand):
    help = "Run a whole business day with real processes and print its tie-out report."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--payments", type=int, default=PAYMENTS, help=f"default {PAYMENTS}")
        parser.add_argument("--seed", type=int, default=1, help="chooses amounts and faults")

    def run(self, **options: Any) -> None:
        try:
            self._run_day(**options)
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing is left running.") from None

    def _run_day(self, **options: Any) -> None:
        if options["payments"] < PAYMENTS_MIN:
            raise CommandError(f"A day has at least {PAYMENTS_MIN} payments.")
        self._say("migrating the database …")
        call_command("migrate", verbosity=0, interactive=False)
        seed_demo()
        sent = self._serve_traffic(options["payments"], options["seed"])
        evening = day.close(seed=options["seed"], say=self._say)
        self.report(
            {
                "day": evening.day,
                "payments": count_by(sent.payments.values(), "status"),
                "refunds": count_by(sent.refunds.values(), "status"),
                "planted": evening.planted,
            },
            [*report.report_lines(evening), *_how_to_look()],
        )
        problems = report.failures(evening) + day.unexpected(evening)
        if problems:
            raise CommandError("\n".join(problems))

    def _serve_traffic(self, payments: int, seed: int) -> Any:
        """Start web and worker, send the day's orders to them over HTTP, and stop them again."""
        port = _free_port()
        log = embedded.data_dir() / "demo.log"
        keys = keys_for_a_day()
        connections.close_all()
        self._say(f"starting web server and worker (log: {log}) …")
        with (
            log.open("wb") as output,
            running([processes.web(port), processes.worker()], output=output),
        ):
            _await_ready(port, log)
            try:
                sent = Traffic(f"http://127.0.0.1:{port}", keys, seed, self._progress).run(payments)
            except TrafficError as problem:
                raise CommandError(f"{problem}\n{_last_words(log)}") from problem
        self._say(
            f"{len(sent.payments)} payments and {len(sent.refunds)} refunds are final;"
            f" {sent.replays} requests were sent twice and made nothing new"
        )
        return sent

    def _say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def _progress(self, label: str, done: int, total: int) -> None:
        """A bar that grows in place on a terminal, one line when complete elsewhere."""
        if not total or (not sys.stderr.isatty() and done < total):
            return
        filled = BAR_WIDTH * done // total
        bar = "█" * filled + "·" * (BAR_WIDTH - filled)
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        print(f"  {label:<20} {bar} {done}/{total}", end=end, file=sys.stderr, flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_ready(port: int, log: Path) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise CommandError(f"The web server did not become ready.\n{_last_words(log)}")


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _how_to_look() -> list[str]:
    return [
        "",
        "Look at it: make run, then http://127.0.0.1:8000/admin/",
        f"  log in as {', '.join(OPERATORS)} with the password {PASSWORD};",
        f"  as {OWNER} at http://127.0.0.1:8000/portal/, the merchant's own pages",
        "",
        "Take a payment yourself:",
        "  curl -X POST http://127.0.0.1:8000/api/v1/payments"
        f" -H 'Authorization: Bearer {DEMO_KEY}'"
        " -H 'Idempotency-Key: my-first' -H 'Content-Type: application/json'"
        """ -d '{"amount": "50.00", "currency": "USD", "source": "tok_visa"}'""",
        f"  curl http://127.0.0.1:8000/api/v1/payments -H 'Authorization: Bearer {DEMO_KEY}'",
        "  curl http://127.0.0.1:8000/api/v1/ready",
    ]
