"""manage.py tieout [--source CODE] [--date D]"""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from reconciliation.errors import NothingToReconcile
from reconciliation.selectors import TieOut, latest_day, source_by_code, tie_outs
from reconciliation.sign_off import obstacles_to_sign_off


class Command(ServiceCommand):
    help = "Prove each account: book minus statement is explained by open items, to the cent."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", help="Only this source; default: all.")
        parser.add_argument(
            "--date", type=date.fromisoformat, help="Default: the latest day a statement covers."
        )

    def run(self, **options: Any) -> None:
        source = source_by_code(options["source"]) if options["source"] else None
        day = options["date"] or latest_day()
        if day is None:
            raise NothingToReconcile()
        proofs = tie_outs(day, source=source)
        self.report(
            {"day": day, "tie_outs": [as_dict(proof) for proof in proofs]},
            [line for proof in proofs for line in as_lines(proof)],
        )
        if any(proof.difference for proof in proofs):
            raise CommandError("Some account does not tie out.")


def as_lines(proof: TieOut) -> list[str]:
    """The proof as text: its line, its open items below, and why it cannot be signed off yet."""
    return [
        proof.line,
        *(f"  {item.effect.text:>14}  {item.name}" for item in proof.open_items),
        *(f"  not to be signed off: {each}" for each in _obstacles(proof)),
    ]


def as_dict(proof: TieOut) -> dict[str, Any]:
    return {
        "source": proof.account.source.code,
        "account": proof.account.identifier,
        "currency": proof.account.currency,
        "date": proof.day,
        "book": proof.book.text,
        "statement": proof.statement.text,
        "open": proof.open.text,
        "difference": proof.difference.text,
        "open_items": [
            {"name": item.name, "effect": item.effect.text, "since": item.since}
            for item in proof.open_items
        ],
        "sign_off_obstacles": _obstacles(proof),
    }


def _obstacles(proof: TieOut) -> list[str]:
    return obstacles_to_sign_off(proof.account, day=proof.day)
