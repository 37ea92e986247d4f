"""manage.py match_by_hand LINE SUBJECT --actor NAME --reason TEXT [--amount 1.00]"""

from argparse import ArgumentParser
from typing import Any

from ledger.commands import ServiceCommand
from ledger.money import Money
from reconciliation.management.people import person
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.subjects import line_by_id, subject_by_id

WORK = "reconciliation.add_match"


class Command(ServiceCommand):
    help = "A person says that a statement line and a record of ours belong together."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("line", help="stl_…")
        parser.add_argument("subject", help="Id of a payment, refund, dispute or payout.")
        parser.add_argument("--amount", help="Part of a bank's line; default: as much as fits.")
        parser.add_argument("--actor", required=True, help="Login name of who says so.")
        parser.add_argument("--reason", required=True)

    def run(self, **options: Any) -> None:
        actor = person(options["actor"], permission=WORK)
        line = line_by_id(options["line"])
        amount = Money.of(options["amount"], line.currency) if options["amount"] else None
        match = match_by_hand(
            line,
            subject_by_id(options["subject"]),
            reason=options["reason"],
            actor=actor,
            amount=amount,
        )
        data = {"id": match.public_id, "kind": match.kind, "run": match.run.public_id}
        self.report(data, [f"{match.public_id}: {line.public_id} is {options['subject']}"])
