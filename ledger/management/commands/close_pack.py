"""manage.py close_pack CODE --format csv|json -o FILE"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ledger.close_pack import as_csv, as_json, close_pack_of
from ledger.commands import ServiceCommand

FORMATS = {"csv": as_csv, "json": as_json}


class Command(ServiceCommand):
    help = "Write the close pack of an accounting period to a file."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="e.g. 2026-10")
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument("-o", "--output", required=True, type=Path, help="File to write.")

    def run(self, **options: Any) -> None:
        pack = close_pack_of(options["code"])
        try:
            options["output"].write_text(
                FORMATS[options["format"]](pack), encoding="utf-8", newline=""
            )
        except OSError as problem:
            raise CommandError(f"{options['output']}: {problem.strerror}") from problem
        self.report(
            {"file": str(options["output"]), "sha256": pack["sha256"]},
            [f"The close pack of {options['code']} is written to {options['output']}."],
        )
