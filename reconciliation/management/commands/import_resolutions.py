"""manage.py import_resolutions FILE --actor NAME [--trial]"""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from ledger.actors import Actor
from ledger.commands import ServiceCommand, read_bytes
from reconciliation.resolution_sheets import read_sheet
from reconciliation.services.resolutions import Outcome, import_resolutions

WORK = "reconciliation.resolve_discrepancy"
PROPOSE = "reconciliation.add_writeoff"


class Command(ServiceCommand):
    help = (
        "Do what people filled in in a file of `export_discrepancies`: owner, action (empty or"
        " resolve, or accepted_difference, write_off, booking for a second person to approve),"
        " reason_code and resolution. Exit code 1 if any row was refused; the others are done."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="CSV or XLSX.")
        parser.add_argument("--actor", required=True, help="Login name of who filled it in.")
        parser.add_argument("--trial", action="store_true", help="Say what would happen; do not.")

    def run(self, **options: Any) -> None:
        user = User.objects.filter(username=options["actor"], is_active=True).first()
        if user is None or not user.has_perm(WORK):
            raise CommandError(f"{options['actor']} is no active person who may do this: {WORK}.")
        results = import_resolutions(
            read_sheet(read_bytes(options["file"])),
            actor=Actor.user(user),
            may_propose=user.has_perm(PROPOSE),
            is_trial=options["trial"],
        )
        counts = Counter(str(result.outcome) for result in results)
        refused = [result for result in results if result.outcome == Outcome.REFUSED]
        lines = [f"row {result.row} {result.id}: {result.message}" for result in refused]
        lines.append(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
        self.report({**counts, "rows": [result.as_dict() for result in results]}, lines)
        if refused:
            raise CommandError(f"{len(refused)} of {len(results)} rows were refused.")
