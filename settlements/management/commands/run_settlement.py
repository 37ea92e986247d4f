"""manage.py run_settlement [--date D]"""

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.money import Money
from settlements.services.batches import run_settlement


class Command(ServiceCommand):
    help = "Close what merchants earned up to the end of a business day. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--date", type=date.fromisoformat, help="Business day to close; default: yesterday."
        )

    def run(self, **options: Any) -> None:
        period = options["date"] or timezone.now().date() - timedelta(days=1)
        batches = [
            {
                "id": batch.public_id,
                "merchant": batch.merchant.code,
                "currency": batch.currency,
                "lines": batch.line_count,
                "net": Money(batch.net, batch.currency).text,
                "payout": batch.payout_money.text,
            }
            for batch in run_settlement(period, actor=Actor.system("settlement"))
        ]
        self.report(
            {"period": period, "batches": batches},
            [
                *(
                    "{id}  {merchant} {currency} net {net} payout {payout}".format(**b)
                    for b in batches
                ),
                f"{len(batches)} batches closed for {period}.",
            ],
        )
