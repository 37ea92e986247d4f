"""Lines on their way into the database: COPY into a staging table, then one INSERT … SELECT."""

import hashlib
from typing import Any

from django.db import connection

from ledger import sql
from ledger.errors import Invalid
from ledger.money import Money
from reconciliation.importers.records import ParsedLine
from reconciliation.models import SourceAccount, StatementFile

TEXT_LENGTH_MAX = 255
ID_LENGTH_MAX = 100
ROWS_HELD_MAX = 5_000

COPY_LINES = (
    "COPY staged_line (source_account_id, line_no, kind, identity, external_id, booked_on,"
    " value_on, gross, fee, net, presentment_amount, presentment_currency, reference,"
    " parent_reference, payout_id, merchant, counterparty, text, references_) FROM STDIN"
)


class Staging:
    """Use inside a transaction: add lines, then `store` them. Holds ROWS_HELD_MAX at most."""

    def __init__(self) -> None:
        self.staged = 0
        self._rows: list[tuple[Any, ...]] = []
        sql.execute("reconciliation", "create_staged_line")

    def add(self, line: ParsedLine, account: SourceAccount) -> int:
        """Stage a line and return its net, minor units. Raises Invalid for an inexact amount."""
        gross = Money.exactly(line.gross, account.currency)
        fee = Money.exactly(line.fee, account.currency)
        net = Money.exactly(line.net, account.currency)
        presented = None
        if line.presentment_amount is not None:
            presented = Money.exactly(line.presentment_amount, line.presentment_currency)
        _check_lengths(line)
        self._rows.append(
            (
                account.pk,
                line.line_no,
                str(line.kind),
                identity_of(line),
                line.external_id,
                line.booked_on,
                line.value_on or line.booked_on,
                gross.amount,
                fee.amount,
                net.amount,
                None if presented is None else presented.amount,
                "" if presented is None else presented.currency,
                line.reference,
                line.parent_reference,
                line.payout_id,
                line.merchant,
                line.counterparty,
                line.text,
                [reference[:TEXT_LENGTH_MAX] for reference in line.references],
            )
        )
        self.staged += 1
        if len(self._rows) >= ROWS_HELD_MAX:
            self._flush()
        return net.amount

    def store(self, file: StatementFile) -> int:
        """Insert the staged lines that no earlier file brought; returns how many."""
        self._flush()
        return sql.execute("reconciliation", "store_staged_lines", file_id=file.pk)

    def _flush(self) -> None:
        connection.ensure_connection()
        with connection.connection.cursor() as cursor, cursor.copy(COPY_LINES) as copy:
            for row in self._rows:
                copy.write_row(row)
        self._rows.clear()


def _check_lengths(line: ParsedLine) -> None:
    texts = (line.reference, line.parent_reference, line.counterparty)
    if any(len(text) > TEXT_LENGTH_MAX for text in texts):
        raise Invalid(f"a field is longer than {TEXT_LENGTH_MAX} characters")
    ids = (line.external_id, line.payout_id, line.merchant)
    if any(len(text) > ID_LENGTH_MAX for text in ids):
        raise Invalid(f"an id is longer than {ID_LENGTH_MAX} characters")


def identity_of(line: ParsedLine) -> str:
    """What makes the line the same line in another file.

    The kind, the reporter's line id, and where and when it counts: the same id in another payout is
    a second report of it. Without an id, a hash of everything the line says.
    """
    if line.external_id:
        said_again = (line.value_on, line.payout_id)
        return f"{line.kind}:{line.external_id}:{_digest(said_again)[:12]}"
    said = (
        line.kind,
        line.booked_on,
        line.value_on,
        line.gross,
        line.fee,
        line.net,
        line.reference,
        line.parent_reference,
        line.payout_id,
        line.merchant,
        line.counterparty,
        line.text,
        line.references,
    )
    return f"sha256:{_digest(said)}"


def _digest(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()
