"""A payment order as CSV, for banks and treasuries that take no pain.001."""

import csv
import io

from ledger.spreadsheets import as_text
from settlements.rails.orders import NAME_LENGTH_MAX, REMITTANCE_LENGTH_MAX, PaymentOrder
from settlements.rails.sepa_text import sepa_text

COLUMNS = (
    "message_id",
    "execution_on",
    "debtor_name",
    "debtor_iban",
    "debtor_bic",
    "end_to_end_id",
    "amount",
    "currency",
    "creditor_name",
    "creditor_iban",
    "creditor_bic",
    "remittance",
)


def render_payment_csv(order: PaymentOrder) -> bytes:
    """A row per transfer, in UTF-8 with CRLF (RFC 4180); the same order gives the same bytes."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for transfer in order.transfers:
        writer.writerow(
            (
                order.message_id,
                order.execution_on.isoformat(),
                as_text(sepa_text(order.debtor.holder, NAME_LENGTH_MAX)),
                order.debtor.iban,
                order.debtor.bic,
                transfer.end_to_end_id,
                transfer.money.text,
                transfer.money.currency,
                as_text(sepa_text(transfer.creditor.holder, NAME_LENGTH_MAX)),
                transfer.creditor.iban,
                transfer.creditor.bic,
                as_text(sepa_text(transfer.remittance, REMITTANCE_LENGTH_MAX)),
            )
        )
    return out.getvalue().encode()
