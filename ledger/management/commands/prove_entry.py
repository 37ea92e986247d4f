"""manage.py prove_entry PUBLIC_ID [-o FILE]"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from ledger.services.proofs import prove_entry


class Command(ServiceCommand):
    help = "Write the proof that an entry is in the sealed ledger; ledger/proof.py checks it."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("public_id", help="of the journal entry, je_…")
        parser.add_argument("-o", "--output", help="file to write; default: print it")

    def run(self, **options: Any) -> None:
        text = json.dumps(prove_entry(options["public_id"]), indent=1)
        if options["output"] is None:
            self.stdout.write(text)
            return
        path = Path(options["output"])
        try:
            path.write_text(f"{text}\n")
        except OSError as problem:
            raise CommandError(f"{path}: {problem.strerror}") from problem
        self.report({"file": str(path)}, [f"Check it with: python ledger/proof.py {path}"])
