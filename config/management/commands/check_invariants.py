"""manage.py check_invariants [--full]"""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from config.invariants import check_invariants
from ledger.commands import ServiceCommand
from payments.invariants import unknown_outcomes


class Command(ServiceCommand):
    help = "Judge everything there is by the ten invariants; exits 1 and names what is broken."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full",
            action="store_true",
            help="Replay every seal too, not only those since the last verification.",
        )

    def run(self, **options: Any) -> None:
        checked = list(check_invariants(is_full=options["full"]))
        unknown = unknown_outcomes()
        broken = [invariant.name for invariant, breaches in checked if breaches]
        lines = []
        for invariant, breaches in checked:
            state = "BROKEN" if breaches else "ok"
            lines.append(f"{state:<7} {invariant.name:<17} {invariant.promise}")
            lines += [f"        {breach.subject}: {breach.problem}" for breach in breaches]
        if unknown.number:
            lines.append(
                f"{unknown.number} outcomes are not known yet, the oldest for"
                f" {unknown.oldest_seconds} s."
            )
        self.report(
            {
                "invariants": [
                    {
                        "name": invariant.name,
                        "promise": invariant.promise,
                        "holds": not breaches,
                        "breaches": [asdict(breach) for breach in breaches],
                    }
                    for invariant, breaches in checked
                ],
                "unknown_outcomes": asdict(unknown),
            },
            lines,
        )
        if broken:
            raise CommandError(f"Broken: {', '.join(broken)}")
