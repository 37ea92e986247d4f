"""manage.py undo_match MATCH --actor NAME --reason TEXT"""

from argparse import ArgumentParser
from typing import Any

from ledger.commands import ServiceCommand
from reconciliation.management.people import person
from reconciliation.services.undone_matches import undo_match
from reconciliation.subjects import match_by_id

WORK = "reconciliation.delete_match"


class Command(ServiceCommand):
    help = "A person takes a match apart: what it posted is reversed, and no rule makes it again."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("match", help="match_…")
        parser.add_argument("--actor", required=True, help="Login name of who says so.")
        parser.add_argument("--reason", required=True)

    def run(self, **options: Any) -> None:
        actor = person(options["actor"], permission=WORK)
        undone = undo_match(match_by_id(options["match"]), reason=options["reason"], actor=actor)
        line = undone.line.public_id
        self.report(
            {"id": options["match"], "lines": [line]},
            [f"{options['match']} is undone: {line} open again"],
        )
