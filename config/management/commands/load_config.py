"""manage.py load_config FILE.toml"""

from argparse import ArgumentParser
from typing import Any

from config.configuration import load_configuration
from ledger.commands import ServiceCommand, read_text


class Command(ServiceCommand):
    help = "Apply merchants, fee plans, gateways and sources from a TOML file. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="TOML; docs/configuration.md explains it.")

    def run(self, **options: Any) -> None:
        changes = load_configuration(read_text(options["file"]))
        self.report({"changes": changes}, changes or ["Nothing changed."])
