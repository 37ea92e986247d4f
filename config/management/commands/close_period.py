"""manage.py close_period CODE [--reason TEXT]"""

from argparse import ArgumentParser
from typing import Any

from config.closing import close_period
from ledger.actors import Actor
from ledger.commands import ServiceCommand


class Command(ServiceCommand):
    help = (
        "Close the earliest open accounting period and write its close pack. Safe to repeat. It is"
        " opened again in the back office only, because that takes two people."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="e.g. 2026-10")
        parser.add_argument("--reason", default="", help="Stays in the audit trail.")

    def run(self, **options: Any) -> None:
        period = close_period(
            options["code"], actor=Actor.system("close_period"), reason=options["reason"]
        )
        pack = period.close_pack
        totals = pack["control_totals"]
        self.report(
            pack,
            [
                *(
                    f"{row['currency']} debits {row['debits']} credits {row['credits']}"
                    for row in pack["trial_balance"]
                ),
                *(
                    f"not empty: {row['code']} {row['balance']} {row['currency']}"
                    for row in pack["not_empty"]
                ),
                f"entries: {totals['entries']}, late ones among them: {totals['late_entries']};"
                f" open items: {len(pack['open_items'])}",
                f"{period} is {period.status}; SHA-256 of its close pack: {pack['sha256']}",
            ],
        )
