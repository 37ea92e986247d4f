"""manage.py quote AMOUNT CURRENCY --merchant CODE [--method M] [--date D]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.utils import timezone

from ledger.commands import ServiceCommand
from ledger.money import Money
from payments.errors import MerchantNotFound
from payments.models import Merchant
from payments.services.fees import quote


class Command(ServiceCommand):
    help = "What a payment would cost its merchant, by the fee plan in force. Changes nothing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("amount", help="In major units: 100.00")
        parser.add_argument("currency")
        parser.add_argument("--merchant", required=True, help="Its code.")
        parser.add_argument("--method", default="", help="visa, of the token tok_visa.")
        parser.add_argument("--date", type=date.fromisoformat, help="Default: today (UTC).")

    def run(self, **options: Any) -> None:
        merchant = Merchant.objects.filter(code=options["merchant"]).first()
        if merchant is None:
            raise MerchantNotFound(options["merchant"])
        on = options["date"] or timezone.now().date()
        quoted = quote(
            merchant,
            Money.of(options["amount"], options["currency"]),
            on=on,
            method=options["method"],
        )
        plan = quoted.plan
        self.report(
            {
                "date": on,
                "amount": quoted.money.text,
                "fee": quoted.fee.text,
                "net": quoted.net.text,
                "currency": quoted.money.currency,
                "plan": None if plan is None else str(plan),
            },
            [
                f"{quoted.money} on {on}: fee {quoted.fee}, net {quoted.net}",
                "There is no fee plan." if plan is None else f"Fee plan {plan}.",
            ],
        )
