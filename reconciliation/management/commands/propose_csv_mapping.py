"""manage.py propose_csv_mapping FILE"""

import io
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand, read_bytes
from reconciliation.importers import FORMATS, ImportRefused, ParsedLine, RejectedLine
from reconciliation.importers.csv_proposal import propose
from reconciliation.importers.toml_text import as_toml

REJECTED_MAX = 5


class Command(ServiceCommand):
    help = "Propose how to read a bank's CSV, as TOML for load_config. Nothing is stored."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")

    def run(self, **options: Any) -> None:
        content = io.BytesIO(read_bytes(options["file"]))
        try:
            proposal = propose(content)
            found = list(FORMATS["csv"](content, proposal.mapping))
        except ImportRefused as refusal:
            raise CommandError(f"{options['file']}: {refusal}") from refusal
        lines = sum(isinstance(record, ParsedLine) for record in found)
        rejected = [record for record in found if isinstance(record, RejectedLine)]
        data = {
            "mapping": proposal.mapping,
            "questions": proposal.questions,
            "lines": lines,
            "rejected_lines": len(rejected),
        }
        self.report(data, _for_people(data, rejected))


def _for_people(data: dict[str, Any], rejected: list[RejectedLine]) -> Iterator[str]:
    """TOML throughout: what is to be decided stands in comments."""
    yield f"# A proposal: check it. Lines: {data['lines']}, rejected: {data['rejected_lines']}."
    for question in data["questions"]:
        yield f"# To decide: {question}"
    for line in rejected[:REJECTED_MAX]:
        yield f"# Rejected: line {line.line_no}: {line.reason}"
    yield from as_toml(data["mapping"])
