"""Adyen settlement detail reports, CSV (formats.md §6 Adyen).

Amounts are unsigned, in debit or credit columns: GC is the currency that the payer saw, NC the
currency that the merchant account moves in. Columns are found by name; their order varies.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Table, open_table
from .records import LineKind, ParsedLine, Record
from .report_table import read_report
from .values import Unreadable, read_amount, read_currency, read_day, read_unsigned_amount

FORMAT_NAME = "Adyen settlement detail report"
SIGNATURE = frozenset({"modification reference", "net debit (nc)", "batch number"})

KINDS = {
    "settled": LineKind.CHARGE,
    "refunded": LineKind.REFUND,
    "refundedreversed": LineKind.REFUND,
    "chargeback": LineKind.DISPUTE,
    "secondchargeback": LineKind.DISPUTE,
    "chargebackreversed": LineKind.DISPUTE_REVERSAL,
    "secondchargebackreversed": LineKind.DISPUTE_REVERSAL,
    "merchantpayout": LineKind.PAYOUT,
    "fee": LineKind.FEE,
    "misccosts": LineKind.FEE,
    "paymentcost": LineKind.FEE,
    "invoicededuction": LineKind.FEE,
}
FEES = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")

# Adyen's sign for a modification that the merchant gave no reference of its own.
NO_REFERENCE = "<auto>"

# A batch belongs to a merchant account and is paid out per currency.
Batch = tuple[str, str, str]


def parse(file: BinaryIO) -> Iterator[Record]:
    """The report as one statement; every line carries the id of the payout that pays its batch.

    Reads the file twice: the payout row of a batch stands below the batch's lines.
    """
    with open_table(file, FORMAT_NAME) as table:
        payouts = _payouts_by_batch(table, _Report(table, {}))
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _Report(table, payouts).line)


def _payouts_by_batch(table: Table, report: "_Report") -> dict[Batch, str]:
    """Payout ids; none for a batch with two different payouts, whose lines could be of either."""
    found: dict[Batch, set[str]] = {}
    for row in table.rows():
        if isinstance(row, tuple) and report.kind(row[1]) is LineKind.PAYOUT:
            found.setdefault(report.batch(row[1]), set()).add(report.payout_id(row[1]))
    return {batch: ids.pop() for batch, ids in found.items() if len(ids) == 1}


class _Report:
    """The places of the columns in one report."""

    def __init__(self, table: Table, payouts: Mapping[Batch, str]) -> None:
        self._payouts = payouts
        self.merchant = table.require("Merchant Account")
        self.psp_reference = table.require("Psp Reference")
        self.merchant_reference = table.require("Merchant Reference")
        self.created = table.require("Creation Date")
        self.type = table.require("Type")
        self.modification = table.require("Modification Reference")
        self.gross_currency = table.require("Gross Currency")
        self.gross_debit = table.require("Gross Debit (GC)")
        self.gross_credit = table.require("Gross Credit (GC)")
        self.net_currency = table.require("Net Currency")
        self.net_debit = table.require("Net Debit (NC)")
        self.net_credit = table.require("Net Credit (NC)")
        self.fees = [(name, table.require(name)) for name in FEES]
        self.batch_number = table.require("Batch Number")
        self.modification_merchant_reference = table.at("Modification Merchant Reference")
        self.booked = table.at("Booking Date")
        self.ids = [
            place
            for place in (
                self.psp_reference,
                self.batch_number,
                table.at("Merchant Order Reference"),
                table.at("Dispute Reference"),
                table.at("ARN"),
            )
            if place >= 0
        ]

    def kind(self, cells: list[str]) -> LineKind:
        return KINDS.get(cells[self.type].strip().lower(), LineKind.ADJUSTMENT)

    def batch(self, cells: list[str]) -> Batch:
        merchant, number = cells[self.merchant].strip(), cells[self.batch_number].strip()
        return merchant, number, cells[self.net_currency].strip()

    def payout_id(self, cells: list[str]) -> str:
        """The first word of `TX…XT batch N, ACCOUNT`, which is what the bank statement shows."""
        return cells[self.modification].strip().partition(" ")[0]

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none."""
        kind = self.kind(cells)
        modification = cells[self.modification].strip()
        if not cells[self.type].strip():
            raise Unreadable("bad_row", "no Type")
        is_payout = kind is LineKind.PAYOUT
        if is_payout and not modification:
            raise Unreadable("bad_row", "a payout without Modification Reference")
        # "Balancetransfer" or "Transaction Fees March" comes again in every batch: it names no row.
        is_payment_row = bool(cells[self.psp_reference].strip())
        currency = read_currency(cells[self.net_currency], "Net Currency")
        net = _signed(cells[self.net_credit], cells[self.net_debit], "Net")
        if net is None:
            raise Unreadable("bad_amount", "neither Net Debit nor Net Credit")
        fee = self._fee(cells)
        seen_amount, seen_currency = self._presentment(cells)
        reference, parent_reference = self._references(kind, cells)
        created_on = read_day(cells[self.created].strip(), "Creation Date")
        booked = cells[self.booked].strip()
        booked_on = read_day(booked, "Booking Date") if booked else None
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=modification if is_payment_row or is_payout else "",
            booked_on=booked_on or created_on,
            value_on=booked_on,
            currency=currency,
            gross=net + fee,
            fee=fee,
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=reference,
            parent_reference=parent_reference,
            payout_id=self.payout_id(cells)
            if is_payout
            else self._payouts.get(self.batch(cells), ""),
            merchant=cells[self.merchant].strip(),
            counterparty="",
            text="" if is_payment_row else modification,
            references=tuple({i: None for at in self.ids if (i := cells[at].strip())}),
            is_reversal=cells[self.type].strip().lower().endswith("reversed"),
        )

    def _fee(self, cells: list[str]) -> Decimal:
        fee = Decimal(0)
        for name, place in self.fees:
            if text := cells[place].strip():
                fee += read_amount(text, name)
        return fee

    def _presentment(self, cells: list[str]) -> tuple[Decimal | None, str]:
        amount = _signed(cells[self.gross_credit], cells[self.gross_debit], "Gross")
        if amount is None:
            return None, ""
        return amount, read_currency(cells[self.gross_currency], "Gross Currency")

    def _references(self, kind: LineKind, cells: list[str]) -> tuple[str, str]:
        payment_reference = cells[self.merchant_reference]
        if kind is LineKind.REFUND:
            own = cells[self.modification_merchant_reference]
            return "" if own.strip() == NO_REFERENCE else own, payment_reference
        if kind in (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL):
            return payment_reference, payment_reference
        return payment_reference, ""


def _signed(credit: str, debit: str, name: str) -> Decimal | None:
    """Credit less debit; None if neither is filled."""
    credit, debit = credit.strip(), debit.strip()
    if not credit and not debit:
        return None
    into = read_unsigned_amount(credit, f"{name} Credit") if credit else Decimal(0)
    out_of = read_unsigned_amount(debit, f"{name} Debit") if debit else Decimal(0)
    return into - out_of
