"""manage.py ask_gateway ID…"""

from argparse import ArgumentParser
from typing import Any

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from ledger.errors import DomainError
from payments.errors import PaymentNotFound
from payments.models import Payment, Refund
from payments.services.enquiries import ask_now


class Command(ServiceCommand):
    help = "Have workers ask the gateway at once what became of payments or refunds."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="+", metavar="ID", help="pay_… or re_…")
        parser.add_argument("--reason", default="", help="Stays in the audit trail.")

    def run(self, **options: Any) -> None:
        asked, refused = [], []
        for public_id in options["ids"]:
            try:
                row = ask_now(
                    _row(public_id), actor=Actor.system("ask_gateway"), reason=options["reason"]
                )
            except DomainError as refusal:
                refused.append((public_id, refusal))
            else:
                asked.append(row.public_id)
        self.report(
            {
                "asked": asked,
                "refused": [
                    {"id": public_id, "code": refusal.code, "message": refusal.message}
                    for public_id, refusal in refused
                ],
            },
            [
                *(f"{public_id} is due now." for public_id in asked),
                *(f"{public_id}: {refusal.message}" for public_id, refusal in refused),
            ],
        )
        if refused:
            raise refused[0][1]


def _row(public_id: str) -> Payment | Refund:
    """Raises PaymentNotFound."""
    model = Refund if public_id.startswith("re_") else Payment
    row = model._default_manager.filter(public_id=public_id).first()
    if row is None:
        raise PaymentNotFound()
    return row
