"""manage.py import_payments FILE.csv"""

import os
import sys
from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management.base import CommandError

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from payments.services.imports import ImportCounts, Progress, import_payments

BAR_WIDTH = 30


class Command(ServiceCommand):
    help = "Load payments and refunds of another system, with their ledger entries. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="CSV with a header; see docs/configuration.md.")

    def run(self, **options: Any) -> None:
        path = options["file"]
        try:
            # The import names the line where it is not UTF-8.
            with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                counts = self.load(file)
        except OSError as problem:
            raise CommandError(f"{path}: {problem.strerror or problem}") from problem
        data = {name: count.as_dict() for name, count in counts.items()}
        lines = [
            f"{name}: {count['created']} new, {count['known']} known, "
            + (", ".join(f"{total} {ccy}" for ccy, total in count["sums"].items()) or "nothing new")
            for name, count in data.items()
        ]
        self.report(data, lines)

    def load(self, file: TextIO) -> dict[str, ImportCounts]:
        is_watched = not self.is_json and sys.stderr.isatty()
        size = os.fstat(file.fileno()).st_size  # 0 of a pipe

        def draw(progress: Progress) -> None:
            """The bar, over the one before."""
            bar = ""
            if size:
                percent = (
                    100 * file.buffer.tell() * progress.rows_loaded // (size * progress.rows_read)
                )
                done = BAR_WIDTH * percent // 100
                bar = f"[{'#' * done}{'.' * (BAR_WIDTH - done)}] {percent:3} % "
            self.show(f"\r{bar}{progress.rows_loaded} rows")

        try:
            return import_payments(
                file,
                actor=Actor.system("import_payments"),
                on_progress=draw if is_watched else lambda progress: None,
            )
        finally:
            if is_watched:
                self.show("\r\033[K")

    def show(self, text: str) -> None:
        self.stderr.write(text, ending="")
        self.stderr.flush()
