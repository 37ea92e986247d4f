"""manage.py seed_demo"""

from typing import Any

from config.demo.seed import DEMO_KEY, OPERATORS, OWNER, PASSWORD, seed_demo
from ledger.commands import ServiceCommand


class Command(ServiceCommand):
    help = "Create the demo's merchants, keys, wallets, gateway, sources and operators."

    def run(self, **options: Any) -> None:
        seed_demo()
        data = {
            **{"api_key": DEMO_KEY, "operators": OPERATORS, "owner": OWNER},
            "password": PASSWORD,
        }
        self.report(
            data,
            [
                f"API key of Demo Store: {DEMO_KEY}",
                f"log-in of its own pages: {OWNER} (password {PASSWORD})",
                f"admin log-ins: {', '.join(OPERATORS)} (password {PASSWORD})",
            ],
        )
