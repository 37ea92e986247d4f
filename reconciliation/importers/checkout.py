"""Checkout.com settlement breakdown and payouts reports, CSV (formats.md §6 Others).

Amounts are signed in the holding currency; deductions are negative: net = gross + deduction.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Table, open_table
from .records import LineKind, ParsedLine, Record
from .report_table import read_report
from .values import Unreadable, read_amount, read_currency, read_day

FORMAT_NAME = "Checkout.com report"
BREAKDOWN_SIGNATURE = frozenset({"payment id", "payout id", "net in holding currency", "type"})
PAYOUTS_SIGNATURE = frozenset({"payout id", "payout date", "payout amount", "holding currency"})

KINDS = {
    "charge": LineKind.CHARGE,
    "capture": LineKind.CHARGE,
    "payment": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "chargeback": LineKind.DISPUTE,
    "chargeback reversal": LineKind.DISPUTE_REVERSAL,
    "payout": LineKind.PAYOUT,
}
AMOUNTS = ("Gross In Holding Currency", "Deduction In Holding Currency", "Net In Holding Currency")


def parse_breakdown(file: BinaryIO) -> Iterator[Record]:
    """All movements of one settlement; each carries the id of the payout that pays it."""
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Breakdown(table).line)


def parse_payouts(file: BinaryIO) -> Iterator[Record]:
    """Payouts alone, each leaving the balance."""
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Payouts(table).line)


class _Breakdown:
    """The places of the columns in one settlement breakdown."""

    def __init__(self, table: Table) -> None:
        self.type = table.require("Type")
        self.payment = table.require("Payment ID")
        self.reference = table.require("Reference")
        self.processed = table.require("Processed On")
        self.available = table.require("Available On")
        self.currency = table.require("Holding Currency")
        self.payout = table.require("Payout ID")
        self.amounts = [(name, table.require(name)) for name in AMOUNTS]
        self.action = table.at("Action ID")
        self.seen_amount = table.at("Gross In Processing Currency")
        self.seen_currency = table.at("Processing Currency")
        self.merchant = table.at("Sub Entity ID")
        self.arn = table.at("Acquirer Reference Number")

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none."""
        said = [cell.strip() for cell in cells]
        gross, deduction, net = (read_amount(said[at], name) for name, at in self.amounts)
        if gross + deduction != net:
            raise Unreadable("bad_sum", f"gross {gross} + deduction {deduction} is not net {net}")
        kind = _kind(said[self.type].lower(), gross)
        reference, parent_reference = cells[self.reference], ""
        if kind is LineKind.REFUND:
            reference, parent_reference = "", reference
        elif kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL):
            parent_reference = reference
        is_seen = bool(said[self.seen_amount])
        seen_currency = said[self.seen_currency]
        ids = (said[self.payment], said[self.arn], said[self.reference] if parent_reference else "")
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=said[self.action] or said[self.payment],
            booked_on=read_day(said[self.processed], "Processed On"),
            value_on=read_day(said[self.available], "Available On"),
            currency=read_currency(said[self.currency], "Holding Currency"),
            gross=gross,
            fee=-deduction,
            net=net,
            presentment_amount=read_amount(said[self.seen_amount], "Gross") if is_seen else None,
            presentment_currency=read_currency(seen_currency, "Processing") if is_seen else "",
            reference=reference,
            parent_reference=parent_reference,
            payout_id=said[self.payout],
            merchant=said[self.merchant],
            counterparty="",
            text=said[self.type],
            references=tuple({i: None for i in ids if i}),
            is_reversal=kind is LineKind.DISPUTE_REVERSAL,
        )


class _Payouts:
    """The places of the columns in one list of payouts."""

    def __init__(self, table: Table) -> None:
        self.id = table.require("Payout ID")
        self.paid = table.require("Payout Date")
        self.amount = table.require("Payout Amount")
        self.currency = table.require("Holding Currency")
        self.account = table.at("Currency Account ID")
        self.merchant = table.at("Sub Entity ID")

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none."""
        said = [cell.strip() for cell in cells]
        if not said[self.id]:
            raise Unreadable("bad_row", "no Payout ID")
        net = -read_amount(said[self.amount], "Payout Amount")
        return ParsedLine(
            line_no=line_no,
            kind=LineKind.PAYOUT,
            external_id=said[self.id],
            booked_on=read_day(said[self.paid], "Payout Date"),
            value_on=None,
            currency=read_currency(said[self.currency], "Holding Currency"),
            gross=net,
            fee=Decimal(0),
            net=net,
            presentment_amount=None,
            presentment_currency="",
            reference="",
            parent_reference="",
            payout_id=said[self.id],
            merchant=said[self.merchant],
            counterparty="",
            text="",
            references=(said[self.account],) if said[self.account] else (),
        )


def _kind(type_: str, gross: Decimal) -> LineKind:
    """A row without gross is a fee, whatever it was taken for."""
    if not type_:
        raise Unreadable("bad_row", "no Type")
    if not gross or "fee" in type_.split():
        return LineKind.FEE
    return KINDS.get(type_, LineKind.ADJUSTMENT)
