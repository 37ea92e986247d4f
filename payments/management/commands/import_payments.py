"""manage.py import_payments FILE.csv"""

import io
from argparse import ArgumentParser
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand, read_text
from payments.services.imports import import_payments


class Command(ServiceCommand):
    help = "Load payments and refunds of another system, with their ledger entries. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="CSV with a header; see docs/configuration.md.")

    def run(self, **options: Any) -> None:
        file = io.StringIO(read_text(options["file"]), newline="")
        counts = import_payments(file, actor=Actor.system("import_payments"))
        data = {name: count.as_dict() for name, count in counts.items()}
        lines = [
            f"{name}: {count['created']} new, {count['known']} known, "
            + (", ".join(f"{total} {ccy}" for ccy, total in count["sums"].items()) or "nothing new")
            for name, count in data.items()
        ]
        self.report(data, lines)
