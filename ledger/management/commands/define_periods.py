"""manage.py define_periods FIRST LAST --zone ZONE"""

from argparse import ArgumentParser
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.services.periods import define_periods


class Command(ServiceCommand):
    help = "Define the calendar months FIRST to LAST as accounting periods. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("first", help="e.g. 2026-01")
        parser.add_argument("last", help="e.g. 2026-12")
        parser.add_argument("--zone", required=True, help="Whose midnight: e.g. Europe/Berlin")

    def run(self, **options: Any) -> None:
        periods = define_periods(
            options["first"],
            options["last"],
            zone=options["zone"],
            actor=Actor.system("define_periods"),
        )
        rows = [
            {
                "code": period.code,
                "starts_at": period.starts_at.isoformat(),
                "ends_at": period.ends_at.isoformat(),
                "status": period.status,
            }
            for period in periods
        ]
        self.report(
            {"periods": rows},
            [f"{row['code']} {row['starts_at']} {row['ends_at']} {row['status']}" for row in rows],
        )
