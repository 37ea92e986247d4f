"""Trustly (Americas) reconciliation and settlement files: records without column names.

By the first cell: H header with report and period, T a processed transaction, I an item of a
settlement, F its payout, L count, sum of credits and sum of debits (formats.md §6 Others).
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Dialect, Rows, encoding_of, open_text
from .records import (
    NOT_BOOKED,
    ImportRefused,
    LineKind,
    ParsedLine,
    Record,
    StatementHeader,
    StatementTrailer,
)
from .values import Unreadable, read_amount, read_currency, read_day, read_unsigned_amount

FORMAT_NAME = "Trustly file"
TRANSACTIONS, SETTLEMENT = "trustly.transactions", "trustly.settlement"
RECONCILIATION = "KREC"

_opens_file = re.compile(rb'"?H"?,"?P[0-9]{2}([A-Z]+)"?,').match

KINDS = {
    "capture": (LineKind.CHARGE, 1),
    "sale": (LineKind.CHARGE, 1),
    "refund": (LineKind.REFUND, -1),
    "return": (LineKind.DISPUTE, -1),
    "reversal": (LineKind.DISPUTE, -1),
    "reclaim": (LineKind.DISPUTE_REVERSAL, 1),
}
# Places of what T and I records share, by name.
_T = {"id": 1, "created": 2, "original": 3, "merchant": 4, "reference": 9, "type": 10, "status": 11}
T_PLACES = _T | {"processed": 12, "currency": 13, "amount": 14, "provider": 22}
I_PLACES = _T | {
    "processed": 13,
    "currency": 14,
    "amount": 15,
    "trace": 16,
    "reason": 17,
    "batch": 18,
    "settled_type": 19,
    "original_reference": 20,
    "provider": 21,
    "fee": 22,
}
CELLS = 23
FUNDING_CELLS = 7


def format_of(head: bytes) -> str:
    """Which of the two files begins with `head`, "" if neither."""
    found = _opens_file(head)
    if found is None:
        return ""
    return TRANSACTIONS if found[1] == RECONCILIATION.encode() else SETTLEMENT


def parse_transactions(file: BinaryIO) -> Iterator[Record]:
    """P11KREC: transactions as they were processed, before they are settled."""
    return _parse(file, TRANSACTIONS)


def parse_settlement(file: BinaryIO) -> Iterator[Record]:
    """Settled items with their fees, and the payouts that paid them."""
    return _parse(file, SETTLEMENT)


def _parse(file: BinaryIO, code: str) -> Iterator[Record]:
    with open_text(file, encoding_of(file)) as text:
        rows = Rows(text, FORMAT_NAME)
        trailer: StatementTrailer | None = None
        is_open = False
        for row in rows.read(Dialect(",")):
            if not isinstance(row, tuple):
                yield row
                continue
            line_no, cells = row
            cells = [cell.strip() for cell in cells]
            if not is_open:
                yield _header(cells, code)
                is_open = True
            elif trailer is not None:
                raise ImportRefused("trailing_content", f"line {line_no} behind the L record")
            elif cells[0] == "L":
                trailer = _trailer(cells)
            else:
                try:
                    yield _line(line_no, cells)
                except Unreadable as problem:
                    yield rows.reject(line_no, problem)
        if trailer is None:
            code_, said = ("truncated", "no L record") if is_open else ("not_this_format", "empty")
            raise ImportRefused(code_, f"{FORMAT_NAME}: {said}")
        yield trailer


def _header(cells: list[str], code: str) -> StatementHeader:
    found = format_of(",".join(cells).encode(errors="replace") + b",")
    if found != code or len(cells) < 6:
        raise ImportRefused("not_this_format", f"{found or 'no Trustly file'}, not {code}")
    try:
        days = [read_day(text, "period") for text in cells[3:5]]
    except Unreadable as problem:
        raise ImportRefused("bad_header", f"{FORMAT_NAME}: {problem}") from problem
    return StatementHeader("", "", f"{cells[1]} {cells[3]}", "", days[0], days[1])


def _trailer(cells: list[str]) -> StatementTrailer:
    try:
        count, credit, debit = (read_unsigned_amount(text, "L") for text in cells[1:4])
    except (Unreadable, ValueError) as problem:
        raise ImportRefused("bad_trailer", f"{FORMAT_NAME}: {problem}") from problem
    return StatementTrailer(declared_count=int(count), declared_credit=credit, declared_debit=debit)


def _line(line_no: int, cells: list[str]) -> ParsedLine:
    """The line that a T, I or F record is; `Unreadable` if it is none."""
    if cells[0] == "F":
        return _payout(line_no, cells)
    places = {"T": T_PLACES, "I": I_PLACES}.get(cells[0])
    if places is None or len(cells) != CELLS:
        raise Unreadable("bad_row", f"{len(cells)} cells of a record {cells[0][:10]!r}")
    said = {name: cells[at] for name, at in places.items()}
    if said["status"].lower() not in ("processed", "completed", "settled"):
        raise Unreadable(NOT_BOOKED, f"the transaction is {said['status'][:20]!r}")
    type_ = (said.get("settled_type") or said["type"]).lower()
    if type_ not in KINDS:
        raise Unreadable("unknown_type", f"a transaction {type_[:20]!r}")
    kind, sign = KINDS[type_]
    amount = read_amount(said["amount"], "amount")
    # Items are signed; transactions are by their type, unless they carry a sign.
    gross = amount if cells[0] == "I" or amount < 0 else sign * amount
    fee = -read_amount(said.get("fee") or "0", "fee")
    reference = said.get("original_reference") or said["reference"]
    is_child = kind is not LineKind.CHARGE
    ids = (said["original"], said["provider"], said.get("trace", ""))
    return ParsedLine(
        line_no=line_no,
        kind=kind,
        external_id=said["id"],
        booked_on=_day(said["processed"] or said["created"]),
        value_on=None,
        currency=read_currency(said["currency"], "currency"),
        gross=gross,
        fee=fee,
        net=gross - fee,
        presentment_amount=None,
        presentment_currency="",
        reference="" if kind is LineKind.REFUND else reference,
        parent_reference=reference if is_child else "",
        payout_id=said.get("batch", ""),
        merchant="",
        counterparty="",
        text=" ".join(filter(None, (said["type"], said.get("reason", "")))),
        references=tuple({i: None for i in ids if i}),
        is_reversal=kind is LineKind.DISPUTE_REVERSAL,
    )


def _payout(line_no: int, cells: list[str]) -> ParsedLine:
    if len(cells) < FUNDING_CELLS:
        raise Unreadable("bad_row", f"{len(cells)} cells of a payout")
    net = -read_amount(cells[5], "payout")
    return ParsedLine(
        line_no=line_no,
        kind=LineKind.PAYOUT,
        external_id=cells[3],
        booked_on=_day(cells[6]),
        value_on=None,
        currency=read_currency(cells[4], "currency"),
        gross=net,
        fee=Decimal(0),
        net=net,
        presentment_amount=None,
        presentment_currency="",
        reference="",
        parent_reference="",
        payout_id=cells[3],
        merchant="",
        counterparty=cells[1],
        text="",
        references=(),
    )


def _day(text: str) -> date:
    return read_day(text, "date")
