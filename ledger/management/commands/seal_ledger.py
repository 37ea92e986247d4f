"""manage.py seal_ledger [--anchor-all]"""

from argparse import ArgumentParser
from typing import Any

from ledger.anchors import anchor_seals
from ledger.commands import ServiceCommand
from ledger.seals import seal_fields
from ledger.services.sealing import seal_entries


class Command(ServiceCommand):
    help = "Seal the entries that are final and anchor the seals outside the database."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor-all",
            action="store_true",
            help="Write every seal to the anchor file again, because it was lost or replaced.",
        )

    def run(self, **options: Any) -> None:
        seals = seal_entries()
        if options["anchor_all"]:
            anchor_seals(first_new=1)
        self.report(
            {"seals": [seal_fields(seal) for seal in seals]},
            [
                *(
                    f"{seal}: {seal.entry_count} entries, {seal.first_entry_id} to"
                    f" {seal.last_entry_id}, {bytes(seal.hash).hex()}"
                    for seal in seals
                ),
                f"{sum(seal.entry_count for seal in seals)} entries sealed.",
            ],
        )
