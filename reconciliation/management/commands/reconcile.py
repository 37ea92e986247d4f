"""manage.py reconcile [--as-of D] [--source CODE]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from ledger.commands import ServiceCommand
from reconciliation.selectors import matches_by_rule, open_discrepancies, source_by_code
from reconciliation.services.runs import reconcile


class Command(ServiceCommand):
    help = "Match statements with the books and open what does not agree. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="Default: the latest day a statement covers."
        )
        parser.add_argument("--source", help="Only this source; default: all.")

    def run(self, **options: Any) -> None:
        source = source_by_code(options["source"]) if options["source"] else None
        run = reconcile(as_of=options["as_of"], source=source)
        data = {
            "id": run.public_id,
            "as_of": run.as_of,
            "matches": run.match_count,
            "discrepancies": run.discrepancy_count,
            "open_discrepancies": open_discrepancies().count(),
            "result_hash": run.result_hash,
        }
        lines = [
            f"{run.public_id} as of {run.as_of}: {run.match_count} new matches,"
            f" {run.discrepancy_count} new discrepancies, {data['open_discrepancies']} open",
            *(f"  {kind} by {rule}: {n}" for (kind, rule), n in matches_by_rule(run).items()),
        ]
        self.report(data, lines)
