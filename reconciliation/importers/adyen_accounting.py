"""Adyen payments accounting reports, CSV: every event of a payment (formats.md §6 Adyen).

`Payable (SC)` is what an event adds to what Adyen owes us or takes from it, signed, after fees; an
event that leaves it empty moves no money of ours. Payouts and costs that belong to no payment are
not in this report: it shows what was earned, not what is in the account.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from .adyen import KINDS, NO_REFERENCE
from .csv_table import Table, open_table
from .records import NOT_BOOKED, LineKind, ParsedLine, Record
from .report_table import read_report
from .values import Unreadable, read_amount, read_currency, read_day

FORMAT_NAME = "Adyen payments accounting report"
SIGNATURE = frozenset({"record type", "payable (sc)", "settlement currency", "psp reference"})
FEES = ("Commission (SC)", "Markup (SC)", "Scheme Fees (SC)", "Interchange (SC)")
# A payment is payable when it is settled or, by the sales day, when it is sent for it.
EVENTS = KINDS | {
    "sentforsettle": LineKind.CHARGE,
    "settledininstallments": LineKind.CHARGE,
    "sentforrefund": LineKind.REFUND,
}


def parse(file: BinaryIO) -> Iterator[Record]:
    """The report as one statement; events that move no money are rejected as not booked."""
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Report(table).line)


class _Report:
    """The places of the columns in one report."""

    def __init__(self, table: Table) -> None:
        self.merchant = table.require("Merchant Account")
        self.psp_reference = table.require("Psp Reference")
        self.merchant_reference = table.require("Merchant Reference")
        self.booked = table.require("Booking Date")
        self.type = table.require("Record Type")
        self.currency = table.require("Settlement Currency")
        self.payable = table.require("Payable (SC)")
        self.fees = [(name, table.require(name)) for name in FEES]
        self.modification = table.at("Modification Psp Reference", "Modification Reference")
        self.modification_merchant_reference = table.at("Modification Merchant Reference")
        self.seen_amount = table.at("Original Amount")
        self.seen_currency = table.at("Payment Currency")
        self.order = table.at("Merchant Order Reference")

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none, or moves no money."""
        said = [cell.strip() for cell in cells]
        event = said[self.type].lower()
        if not event:
            raise Unreadable("bad_row", "no Record Type")
        if not said[self.payable]:
            raise Unreadable(NOT_BOOKED, f"{said[self.type]} moves nothing payable")
        net = read_amount(said[self.payable], "Payable (SC)")
        fee = sum(
            (read_amount(said[at], name) for name, at in self.fees if said[at]), start=Decimal(0)
        )
        kind = EVENTS.get(event, LineKind.ADJUSTMENT)
        reference, parent_reference = self._references(kind, cells)
        seen_amount, seen_currency = self._presentment(said, net)
        ids = (said[self.psp_reference], said[self.order])
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=said[self.modification] or said[self.psp_reference],
            booked_on=read_day(said[self.booked], "Booking Date"),
            value_on=None,
            currency=read_currency(said[self.currency], "Settlement Currency"),
            gross=net + fee,
            fee=fee,
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=reference,
            parent_reference=parent_reference,
            payout_id="",
            merchant=said[self.merchant],
            counterparty="",
            text="",
            references=tuple({i: None for i in ids if i}),
            is_reversal=event.endswith("reversed"),
        )

    def _presentment(self, said: list[str], net: Decimal) -> tuple[Decimal | None, str]:
        """The amount that the payer saw, unsigned in the report, signed as the line."""
        if not said[self.seen_amount]:
            return None, ""
        amount = read_amount(said[self.seen_amount], "Original Amount")
        currency = read_currency(said[self.seen_currency], "Payment Currency")
        return -amount if net < 0 < amount else amount, currency

    def _references(self, kind: LineKind, cells: list[str]) -> tuple[str, str]:
        payment_reference = cells[self.merchant_reference]
        if kind is LineKind.REFUND:
            own = cells[self.modification_merchant_reference]
            return "" if own.strip() == NO_REFERENCE else own, payment_reference
        if kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL):
            return payment_reference, payment_reference
        return payment_reference, ""
