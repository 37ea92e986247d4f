"""manage.py tieout [--source CODE] [--date D] [--format F -o FILE] [--verify SIGN_OFF_ID]"""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ledger.commands import ServiceCommand
from reconciliation.errors import NothingToReconcile
from reconciliation.report_files import FORMATS, rendered
from reconciliation.reports import known_horizon, tie_out_report
from reconciliation.selectors import TieOut, latest_day, source_by_code, tie_outs
from reconciliation.services.sign_offs import sign_off_by_id, verify
from reconciliation.sign_off import obstacles_to_sign_off


class Command(ServiceCommand):
    help = "Prove each account: book minus statement is explained by open items, to the cent."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", help="Only this source; default: all.")
        parser.add_argument(
            "--date", type=date.fromisoformat, help="Default: the latest day a statement covers."
        )
        parser.add_argument("--format", choices=FORMATS, help="Write the whole report to a file.")
        parser.add_argument("-o", "--output", type=Path, help="The file to write.")
        parser.add_argument(
            "--verify",
            metavar="SIGN_OFF_ID",
            help="Compute a signed report again, as known then, and compare byte for byte.",
        )

    def run(self, **options: Any) -> None:
        if options["verify"]:
            self._verify(options["verify"])
            return
        if (options["format"] is None) != (options["output"] is None):
            raise CommandError("--format and --output go together.")
        source = source_by_code(options["source"]) if options["source"] else None
        day = options["date"] or latest_day()
        if day is None:
            raise NothingToReconcile()
        proofs = tie_outs(day, source=source)
        if options["format"]:
            self._write(proofs, options["format"], options["output"])
        else:
            self.report(
                {"day": day, "tie_outs": [as_dict(proof) for proof in proofs]},
                [line for proof in proofs for line in as_lines(proof)],
            )
        if any(proof.difference for proof in proofs):
            raise CommandError("Some account does not tie out.")

    def _write(self, proofs: list[TieOut], file_format: str, output: Path) -> None:
        known_at = known_horizon()
        reports = [tie_out_report(each.account, day=each.day, known_at=known_at) for each in proofs]
        try:
            output.write_bytes(rendered(reports, file_format))
        except OSError as problem:
            raise CommandError(f"{output}: {problem.strerror}") from problem
        self.report(
            {"reports": len(reports), "file": str(output)},
            [f"{len(reports)} reports written to {output}."],
        )

    def _verify(self, public_id: str) -> None:
        sign_off = sign_off_by_id(public_id)
        changes = verify(sign_off)
        self.report(
            {
                "sign_off": sign_off.public_id,
                "status": sign_off.status,
                "content_hash": sign_off.content_hash,
                "is_reproduced": not changes,
                "changes": changes,
            },
            changes
            or [f"{sign_off.public_id} is reproduced byte for byte: {sign_off.content_hash}"],
        )
        if changes:
            raise CommandError(f"{sign_off.public_id} is not what its records say.")


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
