"""manage.py import_fx_rates FILE.csv"""

from argparse import ArgumentParser
from typing import Any

from ledger.commands import ServiceCommand, read_text
from reconciliation.services.rates import import_fx_rates


class Command(ServiceCommand):
    help = "Load reference exchange rates (CSV: date,base,quote,rate). Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")

    def run(self, **options: Any) -> None:
        count = import_fx_rates(read_text(options["file"]))
        self.report({"rates": count}, [f"{count} rates loaded."])
