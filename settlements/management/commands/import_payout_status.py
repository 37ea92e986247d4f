"""manage.py import_payout_status FILE"""

from argparse import ArgumentParser
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand, read_bytes
from settlements.services.status_reports import import_status_report


class Command(ServiceCommand):
    help = "Apply the bank's answer (pain.002) to the payout file it is about. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="The pain.002.")

    def run(self, **options: Any) -> None:
        content = read_bytes(options["file"])
        outcome = import_status_report(content, actor=Actor.system("import_payout_status"))
        rejected = [
            {
                "id": attempt.payout.public_id,
                "code": attempt.reason_code,
                "due_again": new.public_id,
            }
            for attempt, new in zip(outcome.rejected, outcome.due_again, strict=True)
        ]
        self.report(
            {
                "file": outcome.file.public_id,
                "status": outcome.file.status,
                "rejected": rejected,
                "oddities": outcome.oddities,
            },
            [
                f"{outcome.file} is {outcome.file.status}.",
                *("{id} rejected ({code}); {due_again} is due".format(**each) for each in rejected),
                *(f"odd: {oddity}" for oddity in outcome.oddities),
            ],
        )
