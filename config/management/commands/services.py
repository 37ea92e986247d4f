"""`manage.py services up|down|status`: the embedded servers, kept for several commands in a row."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import embedded


class Command(BaseCommand):
    help = "Start the embedded PostgreSQL and Valkey and keep them, stop them, or say what runs."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=("up", "down", "status"))
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *, action: str, json: bool, **_options: Any) -> None:
        try:
            if action == "up":
                embedded.up()
            elif action == "down" and not embedded.down() and not json:
                self.stdout.write(
                    "Still in use; the last command that uses the servers stops them."
                )
            status = embedded.status()
        except embedded.ServersUnavailable as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(_as_json(status) if json else _as_text(status))


def _as_json(status: embedded.Status) -> str:
    return json.dumps({"is_running": status.is_running, **asdict(status)}, indent=2)


def _as_text(status: embedded.Status) -> str:
    if not status.servers:
        return "DATABASE_URL and REDIS_URL are set: no embedded server is used."
    lines = [f"data in {status.data_dir}{', kept until `services down`' if status.is_kept else ''}"]
    for server in status.servers:
        state = f"runs (pid {server.pid})" if server.is_running else "is stopped"
        lines.append(f"{server.name} {state}  {server.url}")
    return "\n".join(lines)
