"""manage.py seal_ledger [--anchor-all]"""

from argparse import ArgumentParser
from typing import Any

from ledger.anchors import anchor_seals
from ledger.audit_seals import TRAIL
from ledger.commands import ServiceCommand
from ledger.seals import JOURNAL, seal_fields
from ledger.services.sealing import seal_entries, seal_events


class Command(ServiceCommand):
    help = (
        "Seal what is final of journal and audit trail, and anchor the seals outside the database."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor-all",
            action="store_true",
            help="Write every seal to the anchor file again, because it was lost or replaced.",
        )

    def run(self, **options: Any) -> None:
        seals, events = seal_entries(), seal_events()
        if options["anchor_all"]:
            for chain in (JOURNAL, TRAIL):
                anchor_seals(chain, first_new=1)
        self.report(
            {
                "seals": [seal_fields(seal) for seal in seals],
                "audit_seals": [seal_fields(seal) for seal in events],
            },
            [
                *(
                    f"{seal}: {seal.entry_count} entries, {seal.first_entry_id} to"
                    f" {seal.last_entry_id}, {bytes(seal.hash).hex()}"
                    for seal in (*seals, *events)
                ),
                f"{sum(seal.entry_count for seal in seals)} entries sealed,"
                f" {sum(seal.entry_count for seal in events)} audit events.",
            ],
        )
