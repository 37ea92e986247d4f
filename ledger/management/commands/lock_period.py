"""manage.py lock_period CODE [--reason TEXT]"""

from argparse import ArgumentParser
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.services.periods import lock_period


class Command(ServiceCommand):
    help = "Close a closed accounting period for good. Safe to repeat; cannot be undone."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="e.g. 2026-10")
        parser.add_argument("--reason", default="", help="Stays in the audit trail.")

    def run(self, **options: Any) -> None:
        actor = Actor.system("lock_period")
        period = lock_period(options["code"], actor=actor, reason=options["reason"])
        data = {"code": period.code, "status": period.status}
        self.report(data, [f"{period} is {period.status}."])
