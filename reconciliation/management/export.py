"""What the two export commands share."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from reconciliation.exports import FORMATS
from reconciliation.models import ReconciliationRun


class ExportCommand(ServiceCommand):
    """A command with --run, --format and -o."""

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--run", help="Id of a run; default: over all runs.")
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument("-o", "--output", required=True, type=Path, help="File to write.")

    def read_run(self, options: dict[str, Any]) -> ReconciliationRun | None:
        if not options["run"]:
            return None
        run = ReconciliationRun.objects.filter(public_id=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no run {options['run']}.")
        return run

    def written(self, count: int, output: Path) -> None:
        self.report({"rows": count, "file": str(output)}, [f"{count} rows written to {output}."])
