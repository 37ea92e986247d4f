"""What our management commands share: `--json`, and refusals as one line and exit code 1."""

import gc
import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.errors import DomainError


class ServiceCommand(BaseCommand):
    """A command that calls services. Subclasses implement `run` and `arguments`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON, for machines.")
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """Declare what the command takes besides --json."""

    def run_from_argv(self, argv: list[str]) -> None:
        gc.freeze()  # what was imported is no garbage; looking for some in it costs a tenth
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_json = options.pop("json")
        try:
            self.run(**options)
        except DomainError as refusal:
            raise CommandError(f"{refusal.message} ({refusal.code})") from refusal

    def run(self, **options: Any) -> None:
        raise NotImplementedError

    def report(self, data: dict[str, Any], lines: Iterable[str]) -> None:
        """Print the data as JSON, or the lines for people."""
        if self.is_json:
            self.stdout.write(json.dumps(data, default=str))
            return
        for line in lines:
            self.stdout.write(line)


def read_text(path: str) -> str:
    """The UTF-8 text of a file; CommandError if it cannot be read."""
    try:
        return _read(path).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise CommandError(f"{path} is not UTF-8: {problem}") from problem


def read_bytes(path: str) -> bytes:
    return _read(path)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}") from problem
