"""dLocal settlement reports, CSV: a HEADER row with the transfer, then its rows (formats.md §6).

Each kind of row stands below its own names, which a ROW_TYPE row gives. Amounts are signed in the
settlement currency with six decimals, which the transfer rounds once, in their sum.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Dialect, Rows, encoding_of, key_of, open_text
from .records import (
    ImportRefused,
    LineKind,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from .values import Unreadable, read_amount, read_currency, read_day

FORMAT_NAME = "dLocal settlement report"
NAMES_ROW = "row_type"
KINDS = {
    "payment": LineKind.CHARGE,
    "capture": LineKind.CHARGE,
    "refund": LineKind.REFUND,
    "chargeback": LineKind.DISPUTE,
    "chargeback_reversal": LineKind.DISPUTE_REVERSAL,
    "settlement_fee": LineKind.FEE,
    "adjustment": LineKind.ADJUSTMENT,
}
# Six decimals of three amounts need not add up in the last of them.
ROUNDING = Decimal("0.00001")


def is_dlocal(head: bytes) -> bool:
    """Whether a file that begins with `head` is such a report."""
    return head.lstrip(b'"')[:8].upper() == b"ROW_TYPE"


def parse(file: BinaryIO) -> Iterator[Record]:
    """The report as one statement: its rows, and the transfer that pays them as a payout."""
    encoding = encoding_of(file)
    with open_text(file, encoding) as text:
        first = text.readline()
    with open_text(file, encoding) as text:
        rows = Rows(text, FORMAT_NAME)
        report = _Report()
        yield StatementHeader("", "", "", "", None, None)
        for row in rows.read(Dialect(max(",;\t", key=first.count))):
            if isinstance(row, RejectedLine):
                yield row
                continue
            try:
                line = report.take(*row)
            except Unreadable as problem:
                yield rows.reject(row[0], problem)
            else:
                yield from [line] if line else []
        if not report.transfer:
            raise ImportRefused("not_this_format", f"{FORMAT_NAME}: no HEADER row")
        yield StatementTrailer()


class _Report:
    """The names that hold for the next row, and the transfer."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self.transfer: dict[str, str] = {}

    def take(self, line_no: int, cells: list[str]) -> ParsedLine | None:
        """The line that a row is, None for one of names; `Unreadable` if it is neither."""
        kind = key_of(cells[0])
        if kind == NAMES_ROW:
            self._names = [key_of(name) for name in cells]
            return None
        if not self._names:
            raise ImportRefused("not_this_format", f"{FORMAT_NAME}: no ROW_TYPE row at its top")
        if len(cells) > len(self._names) and any(cells[len(self._names) :]):
            raise Unreadable("bad_row", f"{len(cells)} cells under {len(self._names)} names")
        said = {n: c.strip() for n, c in zip(self._names, cells, strict=False)}
        if kind == "header":
            if self.transfer:
                raise ImportRefused("malformed_csv", f"{FORMAT_NAME}: a second HEADER row")
            self.transfer = said
            return self._payout(line_no)
        if not self.transfer:
            raise ImportRefused("malformed_csv", f"{FORMAT_NAME}: a row above the HEADER row")
        return self._line(line_no, kind, said)

    def _payout(self, line_no: int) -> ParsedLine:
        net = -read_amount(self.transfer.get("net_total_amount", ""), "NET_TOTAL_AMOUNT")
        said = {"external_id": self.transfer.get("transfer_id", "")}
        return self._made(line_no, LineKind.PAYOUT, said, net, net)

    def _line(self, line_no: int, kind_name: str, said: dict[str, str]) -> ParsedLine:
        kind = KINDS.get(kind_name)
        if kind is None:
            raise Unreadable("unknown_type", f"a row {kind_name[:20]!r}")
        net = read_amount(said.get("net_amount", ""), "NET_AMOUNT")
        gross = read_amount(said.get("gross_amount") or "0", "GROSS_AMOUNT")
        fee = read_amount(said.get("fee_amount") or "0", "FEE_AMOUNT")
        if abs(gross + fee - net) > ROUNDING:
            raise Unreadable("bad_sum", f"gross {gross} + fee {fee} is not net {net}")
        return self._made(line_no, kind, said, gross, net)

    def _made(
        self, line_no: int, kind: LineKind, said: dict[str, str], gross: Decimal, net: Decimal
    ) -> ParsedLine:
        reference = said.get("transaction_id", "")
        is_child = kind in (LineKind.REFUND, LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL)
        local = said.get("local_amount", "")
        day = self.transfer.get("transfer_date", "")
        approved = said.get("approved_date") or said.get("creation_date") or day
        return ParsedLine(
            line_no=line_no,
            kind=kind,
            external_id=said.get("external_id") or said.get("dlocal_transaction_id", ""),
            booked_on=read_day(approved, "APPROVED_DATE"),
            value_on=read_day(day, "TRANSFER_DATE"),
            currency=read_currency(
                self.transfer.get("settlement_currency", ""), "SETTLEMENT_CURRENCY"
            ),
            gross=gross,
            fee=gross - net,
            net=net,
            presentment_amount=read_amount(local, "LOCAL_AMOUNT") if local else None,
            presentment_currency=read_currency(said.get("local_currency", ""), "LOCAL_CURRENCY")
            if local
            else "",
            reference="" if kind is LineKind.REFUND else reference,
            parent_reference=reference if is_child else "",
            payout_id=self.transfer.get("transfer_id", ""),
            merchant="",
            counterparty="",
            text="",
            references=(),
            is_reversal=kind is LineKind.DISPUTE_REVERSAL,
        )
