"""Stripe's balance history as exported from the dashboard, and the balance transactions of its API
in a table (formats.md §6 Stripe).

Both have a row per movement and the types of the API. The export has units and decimals, the API
whole numbers of the smallest unit; `net = amount - fee` is checked on every row.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Table, open_table
from .records import LineKind, ParsedLine, Record
from .report_table import read_report
from .stripe_units import read_major, read_minor
from .values import Unreadable, read_currency, read_day

FORMAT_NAME = "Stripe balance history"
_SHARED = {"id", "type", "source", "amount", "fee", "net", "currency"}
HISTORY_SIGNATURE = frozenset({*_SHARED, "created (utc)", "available on (utc)"})
# These names are those of the API's fields: no report in units and decimals has them.
TRANSACTIONS_SIGNATURE = frozenset({*_SHARED, "created", "available_on", "exchange_rate", "status"})

KINDS = {
    "charge": LineKind.CHARGE,
    "payment": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "payout": LineKind.PAYOUT,
    "stripe_fee": LineKind.FEE,
    "stripe_fx_fee": LineKind.FEE,
    "tax_fee": LineKind.FEE,
    "network_cost": LineKind.FEE,
}
REVERSALS = frozenset(
    "refund_failure payout_cancel payout_failure payment_failure_refund payment_reversal"
    " transfer_cancel transfer_failure transfer_refund application_fee_refund".split()
)
DISPUTE_IDS = ("dp_", "du_")
REFERENCES = ("reference (metadata)", "order_id (metadata)", "order (metadata)")

ReadAmount = Callable[[str, str, str], Decimal]


def parse_history(file: BinaryIO) -> Iterator[Record]:
    """The dashboard's export as one statement."""
    return _parse(file, read_major)


def parse_transactions(file: BinaryIO) -> Iterator[Record]:
    """The API's balance transactions as one statement."""
    return _parse(file, read_minor)


def _parse(file: BinaryIO, read: ReadAmount) -> Iterator[Record]:
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Report(table, read).line)


class _Report:
    """The places of the columns in one table."""

    def __init__(self, table: Table, read: ReadAmount) -> None:
        self._read = read
        self.id = table.require("id")
        self.type = table.require("type")
        self.source = table.require("source")
        self.amounts = [(name, table.require(name)) for name in ("amount", "fee", "net")]
        self.currency = table.require("currency")
        self.created = table.require("created (utc)", "created")
        self.available = table.require("available on (utc)", "available_on")
        self.payout = table.at("transfer", "payout_id")
        self.description = table.at("description")
        self.merchant = table.at("connected_account_id", "connected account")
        self.seen_amount = table.at("customer facing amount")
        self.seen_currency = table.at("customer facing currency")
        self.reference = table.at(*REFERENCES)

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none."""
        said = [cell.strip() for cell in cells]
        if not said[self.id] or not said[self.type]:
            raise Unreadable("bad_row", "no id or no type")
        currency = read_currency(said[self.currency], "currency")
        amount, fee, net = (self._read(said[at], currency, name) for name, at in self.amounts)
        if amount - fee != net:
            raise Unreadable("bad_sum", f"amount {amount} - fee {fee} is not net {net}")
        kind = _kind(said[self.type].lower(), said[self.source], amount)
        reference, parent_reference = cells[self.reference], ""
        if kind is LineKind.REFUND:
            reference, parent_reference = "", reference
        elif kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL):
            parent_reference = reference
        payout_id = said[self.payout]
        if kind is LineKind.PAYOUT and not payout_id:
            payout_id = said[self.source]
        seen_amount, seen_currency = self._presentment(said)
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=said[self.id],
            booked_on=read_day(said[self.created], "created"),
            value_on=read_day(said[self.available], "available on"),
            currency=currency,
            gross=amount,
            fee=fee,
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=reference,
            parent_reference=parent_reference,
            payout_id=payout_id,
            merchant=said[self.merchant],
            counterparty="",
            text=said[self.description],
            references=(said[self.source],) if said[self.source] else (),
            is_reversal=said[self.type].lower() in REVERSALS or kind is LineKind.DISPUTE_REVERSAL,
        )

    def _presentment(self, said: list[str]) -> tuple[Decimal | None, str]:
        if not said[self.seen_amount]:
            return None, ""
        currency = read_currency(said[self.seen_currency], "customer facing currency")
        return self._read(said[self.seen_amount], currency, "customer facing amount"), currency


def _kind(type_: str, source: str, amount: Decimal) -> LineKind:
    """The kind; a dispute is an adjustment of the API whose source is a dispute."""
    if type_ == "adjustment" and source.startswith(DISPUTE_IDS):
        return LineKind.DISPUTE if amount < 0 else LineKind.DISPUTE_REVERSAL
    if type_ == "transfer" and source.startswith("po_"):
        return LineKind.PAYOUT
    return KINDS.get(type_, LineKind.ADJUSTMENT)
