"""manage.py run_settlement [--date D]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.utils import timezone

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.money import Money
from settlements.services.batches import run_settlement, settle_due


class Command(ServiceCommand):
    help = "Close what merchants earned up to the end of a business day. Safe to repeat."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--date",
            type=date.fromisoformat,
            help="Business day to close; default: each merchant's last one that is over by now.",
        )

    def run(self, **options: Any) -> None:
        period, actor = options["date"], Actor.system("settlement")
        if period:
            closed = run_settlement(period, actor=actor)
        else:
            closed = settle_due(timezone.now(), actor=actor)
        batches = [
            {
                "id": batch.public_id,
                "merchant": batch.merchant.code,
                "period": batch.period,
                "currency": batch.currency,
                "lines": batch.line_count,
                "net": Money(batch.net, batch.currency).text,
                "payout": batch.payout_money.text,
            }
            for batch in closed
        ]
        self.report(
            {"period": period, "batches": batches},
            [
                *(
                    "{id}  {merchant} {period} {currency} net {net} payout {payout}".format(**b)
                    for b in batches
                ),
                f"{len(batches)} batches closed{f' for {period}' if period else ''}.",
            ],
        )
