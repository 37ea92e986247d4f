"""manage.py verify_ledger [--full]"""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from ledger.models import JournalEntry
from ledger.selectors import trial_balance
from ledger.services.verification import verify_ledger


class Command(ServiceCommand):
    help = "Prove the books from the postings; exits 1 and names the first bad entry otherwise."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full",
            action="store_true",
            help="Trust nothing that was verified before: recompute everything from the postings.",
        )

    def run(self, **options: Any) -> None:
        problems = verify_ledger(is_full=options["full"])
        totals = trial_balance()
        self.report(
            {
                "entries": JournalEntry.objects.count(),
                "problems": [asdict(problem) for problem in problems],
                "trial_balance": [
                    {
                        "currency": row.currency,
                        "debits": row.debits.text,
                        "credits": row.credits.text,
                    }
                    for row in totals
                ],
            },
            [
                *(
                    f"{row.currency} debits {row.debits.text} credits {row.credits.text}"
                    for row in totals
                ),
                *(f"{problem.check} {problem.subject}: {problem.message}" for problem in problems),
                "The books hold." if not problems else f"{len(problems)} problems.",
            ],
        )
        if problems:
            raise CommandError(f"The ledger does not hold; first: {problems[0].subject}")
