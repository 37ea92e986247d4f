"""manage.py make_payout_file (--currency EUR [--date D] [--format F] | ID) -o FOLDER"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.money import Money
from settlements.models import PayoutFile
from settlements.selectors import payout_file_by_id
from settlements.services.payout_files import hand_over_payout_file, make_payout_files
from settlements.services.payouts import approve_small_payouts

ACTOR = Actor.system("make_payout_file")


class Command(ServiceCommand):
    help = "Write approved payouts as files for the bank; they are in transit from then on."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="Id of a file made before: write it again.")
        parser.add_argument("--currency", help="Make files of all that can go in this currency.")
        parser.add_argument(
            "--date", type=date.fromisoformat, help="Day on which the bank pays; default: today."
        )
        parser.add_argument(
            "--format", choices=PayoutFile.Format.values, default=PayoutFile.Format.PAIN_001
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="Folder to write to.")

    def run(self, **options: Any) -> None:
        if bool(options["file"]) == bool(options["currency"]):
            raise CommandError("Say either the id of a file or a --currency.")
        if not options["output"].is_dir():
            raise CommandError(f"{options['output']} is no folder.")
        files = [payout_file_by_id(options["file"])] if options["file"] else self._make(**options)
        written = [self._write(file, options["output"]) for file in files]
        self.report(
            {"files": written},
            [
                *("{path}: {payouts} payouts, {sum} {currency}".format(**each) for each in written),
                f"{len(written)} payout files written.",
            ],
        )

    def _make(self, **options: Any) -> list[PayoutFile]:
        approve_small_payouts(actor=ACTOR)
        return make_payout_files(
            currency=options["currency"],
            execution_on=options["date"] or timezone.localdate(timezone=settings.PLATFORM_ZONE),
            format=options["format"],
            actor=ACTOR,
        )

    def _write(self, file: PayoutFile, folder: Path) -> dict[str, Any]:
        content = hand_over_payout_file(file, actor=ACTOR)
        path = folder / file.file_name
        path.write_bytes(content)
        return {
            "id": file.public_id,
            "path": str(path),
            "payouts": file.payout_count,
            "sum": Money(file.control_sum, file.debtor.currency).text,
            "currency": file.debtor.currency,
            "sha256": file.sha256,
        }
