"""manage.py import_statement --source CODE FILE"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from reconciliation.continuity import findings_of_file
from reconciliation.models import StatementFile
from reconciliation.selectors import source_by_code
from reconciliation.services.imports import import_statement

BAR_WIDTH = 30
LINES_SHOWN = 20


class Command(ServiceCommand):
    help = "Load a bank statement or processor report. The same file twice changes nothing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="Code of the source that sent it.")
        parser.add_argument("file")

    def run(self, **options: Any) -> None:
        source = source_by_code(options["source"])
        path = Path(options["file"])
        is_watched = not self.is_json and sys.stderr.isatty()
        try:
            with path.open("rb") as content:
                file, is_known = import_statement(
                    source,
                    content,
                    name=path.name,
                    actor=Actor.system("import_statement"),
                    on_progress=self.draw if is_watched else lambda file: None,
                )
        except OSError as problem:
            raise CommandError(f"{path}: {problem.strerror or problem}") from problem
        finally:
            if is_watched:
                self.stderr.write("\r\033[K", ending="")
        members = [member.file for member in file.members.select_related("file")]
        data = {
            **as_dict(file),
            "is_known": is_known,
            "members": [as_dict(each) for each in members],
        }
        lines = [line for each in members or [file] for line in as_lines(each)]
        if is_known:
            lines[0] += " (loaded before)"
        self.report(data, lines)
        refused = [each.name for each in members if each.status == StatementFile.Status.REFUSED]
        if refused:
            raise CommandError(f"Refused: {', '.join(refused)}.")

    def draw(self, file: StatementFile) -> None:
        """The bar, over the one before."""
        done = BAR_WIDTH * file.percent // 100
        bar = "#" * done + "." * (BAR_WIDTH - done)
        text = f"\r{file.name[:40]} [{bar}] {file.percent:3} % {file.lines_read} lines"
        self.stderr.write(text, ending="")
        self.stderr.flush()


def as_dict(file: StatementFile) -> dict[str, Any]:
    return {
        "id": file.public_id,
        "name": file.name,
        "status": file.status,
        "format": file.format,
        "lines": file.line_count,
        "known_lines": file.known_count,
        "uncounted_lines": file.uncounted_count,
        "rejected_lines": file.rejected_count,
        "findings": [finding.as_dict() for finding in findings_of_file(file)],
    }


def as_lines(file: StatementFile) -> list[str]:
    """What was read, what could not be, and what does not add up."""
    if file.status == StatementFile.Status.REFUSED:
        return [f"{file.name} is refused: {file.refusal_code}: {file.refusal}"]
    counts = f"{file.line_count} lines, {file.known_count} known, {file.rejected_count} rejected"
    if file.uncounted_count:
        counts += f", {file.uncounted_count} not counted: they announce or detail statements"
    bad = list(file.rejected.all()[:LINES_SHOWN])
    return [
        f"{file.name} ({file.format}): {counts}",
        *(f"  line {line.line_no}: {line.reason}" for line in bad),
        *(
            [f"  and {file.rejected_count - len(bad)} more"]
            if file.rejected_count > len(bad)
            else []
        ),
        *(f"  {finding}" for finding in findings_of_file(file)),
    ]
