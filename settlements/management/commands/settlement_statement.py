"""manage.py settlement_statement SETTLEMENT [--format csv|xlsx|html] -o FILE"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from ledger.commands import ServiceCommand
from settlements.selectors import batch_by_id
from settlements.statement_files import CONTENT_TYPES, rendered
from settlements.statements import settlement_statement


class Command(ServiceCommand):
    help = "Write the statement of one settlement batch for its merchant."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("settlement", help="Id of the batch: sb_…")
        parser.add_argument("--format", choices=list(CONTENT_TYPES), default="csv")
        parser.add_argument("-o", "--output", type=Path, required=True, help="File to write.")

    def run(self, **options: Any) -> None:
        statement = settlement_statement(batch_by_id(options["settlement"]))
        with options["output"].open("wb") as file:
            file.writelines(rendered(statement, options["format"]))
        figures = {
            "opening": statement.opening.text,
            "payout": statement.payout.text,
            "closing": statement.closing.text,
            "currency": statement.batch.currency,
            "file": str(options["output"]),
        }
        self.report(
            figures,
            [
                "opening {opening} closing {closing} {currency}, payout {payout}: {file}".format(
                    **figures
                )
            ],
        )
