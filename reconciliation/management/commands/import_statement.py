"""manage.py import_statement --source CODE FILE"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand, read_bytes
from reconciliation.selectors import source_by_code
from reconciliation.services.imports import import_statement


class Command(ServiceCommand):
    help = "Load a bank statement or processor report. The same file twice changes nothing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="Code of the source that sent it.")
        parser.add_argument("file")

    def run(self, **options: Any) -> None:
        source = source_by_code(options["source"])
        file, is_known = import_statement(
            source,
            read_bytes(options["file"]),
            name=Path(options["file"]).name,
            actor=Actor.system("import_statement"),
        )
        data = {
            "id": file.public_id,
            "format": file.format,
            "is_known": is_known,
            "lines": file.line_count,
            "known_lines": file.known_count,
            "rejected_lines": file.rejected_count,
        }
        lines = [
            f"{file.name} ({file.format}): {file.line_count} lines, {file.known_count} known,"
            f" {file.rejected_count} rejected" + (" (loaded before)" if is_known else ""),
            *(f"  line {bad.line_no}: {bad.reason}" for bad in file.rejected.all()[:20]),
        ]
        self.report(data, lines)
