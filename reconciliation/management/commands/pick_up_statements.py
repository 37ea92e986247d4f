"""manage.py pick_up_statements"""

from typing import Any

from ledger.commands import ServiceCommand
from reconciliation.services.inbox import pick_up_statements


class Command(ServiceCommand):
    help = "Load what is in the inbox folder now, as beat has it done every minute."

    def run(self, **options: Any) -> None:
        picked = pick_up_statements()
        self.report(
            {"files": [{"file": str(each.path), "refused": each.reason} for each in picked]},
            [f"{each.path}: {each.reason or 'loaded'}" for each in picked],
        )
