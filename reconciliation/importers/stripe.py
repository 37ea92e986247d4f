"""Stripe's itemised reports, CSV: payout reconciliation, activity, payouts (formats.md §6 Stripe).

Amounts are in major units and signed as the Stripe balance moves; `gross - fee = net` is checked on
every row. Columns are found by name: the person who made the report chose their order.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Table, open_table
from .records import LineKind, ParsedLine, Record
from .report_table import read_report
from .values import Unreadable, read_amount, read_currency, read_day

FORMAT_NAME = "Stripe itemised report"
SIGNATURE = frozenset({"balance_transaction_id", "reporting_category", "net"})

KINDS = {
    "charge": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND,
    "partial_capture_reversal": LineKind.REFUND,
    "dispute": LineKind.DISPUTE,
    "dispute_reversal": LineKind.DISPUTE_REVERSAL,
    "payout": LineKind.PAYOUT,
    "fee": LineKind.FEE,
    "network_cost": LineKind.FEE,
    "tax": LineKind.FEE,
}
# When a payout is expected at the bank, in the report of payouts.
ARRIVAL = ("payout_expected_arrival_date",)
REVERSALS = frozenset({"refund_failure", "dispute_reversal", "payout_reversal"})


def parse(file: BinaryIO) -> Iterator[Record]:
    """The report as one statement; its lines move the balance of their own currency."""
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Report(table).line)


class _Report:
    """The places of the columns in one report."""

    def __init__(self, table: Table) -> None:
        self.id = table.require("balance_transaction_id")
        booked = ("created_utc", "created", "effective_at_utc", "effective_at")
        self.created = table.require(*booked)
        self.available = table.require("available_on_utc", "available_on", *ARRIVAL, *booked[2:])
        self.currency = table.require("currency")
        self.gross = table.require("gross")
        self.fee = table.require("fee")
        self.net = table.require("net")
        self.category = table.require("reporting_category")
        self.source = table.at("source_id")
        self.payout = table.at("automatic_payout_id", "payout_id")
        self.seen_amount = table.at("customer_facing_amount")
        self.seen_currency = table.at("customer_facing_currency")
        self.merchant = table.at("connected_account", "connected_account_id")
        self.description = table.at("description")
        self.payment_reference = _reference_place(table, "payment_metadata[")
        self.refund_reference = _reference_place(table, "refund_metadata[")
        ids = [
            self.source,
            *map(table.at, ("charge_id", "payment_intent_id", "invoice_id", "invoice_number")),
            *table.places_of("payment_metadata["),
            *table.places_of("refund_metadata["),
        ]
        told_elsewhere = (-1, self.payment_reference, self.refund_reference)
        self.ids = [place for place in ids if place not in told_elsewhere]

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none."""
        category = cells[self.category].strip().lower()
        kind = KINDS.get(category, LineKind.ADJUSTMENT)
        currency = read_currency(cells[self.currency], "currency")
        gross, fee, net = self._amounts(cells)
        seen_amount, seen_currency = self._presentment(cells)
        reference, parent_reference = cells[self.payment_reference], ""
        if kind is LineKind.REFUND:
            reference, parent_reference = cells[self.refund_reference], reference
        elif kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL):
            parent_reference = reference
        payout_id = cells[self.payout].strip()
        if kind is LineKind.PAYOUT and not payout_id:
            payout_id = cells[self.source].strip()
        external_id = cells[self.id].strip()
        if not external_id or not category:
            raise Unreadable("bad_row", "no balance_transaction_id or no reporting_category")
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=external_id,
            booked_on=read_day(cells[self.created].strip(), "created"),
            value_on=read_day(cells[self.available].strip(), "available_on"),
            currency=currency,
            gross=gross,
            fee=fee,
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=reference,
            parent_reference=parent_reference,
            payout_id=payout_id,
            merchant=cells[self.merchant].strip(),
            counterparty="",
            text=cells[self.description].strip(),
            references=tuple({i: None for at in self.ids if (i := cells[at].strip())}),
            is_reversal=category in REVERSALS,
        )

    def _amounts(self, cells: list[str]) -> tuple[Decimal, Decimal, Decimal]:
        gross = read_amount(cells[self.gross].strip(), "gross")
        fee = read_amount(cells[self.fee].strip(), "fee")
        net = read_amount(cells[self.net].strip(), "net")
        if gross - fee != net:
            raise Unreadable("bad_sum", f"gross {gross} - fee {fee} is not net {net}")
        return gross, fee, net

    def _presentment(self, cells: list[str]) -> tuple[Decimal | None, str]:
        amount = cells[self.seen_amount].strip()
        if not amount:
            return None, ""
        currency = read_currency(cells[self.seen_currency], "customer_facing_currency")
        return read_amount(amount, "customer_facing_amount"), currency


def _reference_place(table: Table, metadata: str) -> int:
    """Where the merchant's reference is: under the key `reference`, else under the only key."""
    keys = table.places_of(metadata)
    return table.at(f"{metadata}reference]") if len(keys) != 1 else keys[0]
