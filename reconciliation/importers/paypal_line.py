"""One body row of a PayPal report as a line of the balance (formats.md §6 PayPal)."""

from .paypal_events import WITHOUT_MOVEMENT, is_reversal, kind_of_event
from .paypal_records import CURRENCY, Columns, read_hundredths, read_paypal_day
from .records import NOT_BOOKED, LineKind, ParsedLine
from .values import Unreadable, read_currency

STATUS = "Transactional Status"
REQUIRED = (
    "Transaction ID",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    CURRENCY,
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
)
# Success, and success that was taken back later; the others moved nothing (yet).
BOOKED = frozenset({"", "S", "V"})
UNBOOKED = {"P": "pending", "D": "denied"}
ID_NAMES = (
    "PayPal Reference ID",
    "Invoice ID",
    "Custom Field",
    "Payment Tracking ID",
    "Store ID",
    "Bank Reference ID",
)
TEXT_NAMES = ("Transaction Event Code", "Transaction Subject", "Transaction Note")
DISPUTES = (LineKind.DISPUTE, LineKind.DISPUTE_REVERSAL)


def read_line(columns: Columns, line_no: int, cells: list[str]) -> ParsedLine:
    """The line that a row is; `Unreadable` if it is none, or none that moved the balance.

    A refund has no reference of its own: its invoice id is the payment's.
    """
    columns.check_width(cells)
    event = columns.cell(cells, "Transaction Event Code")
    _check_booked(event, columns.cell(cells, STATUS))
    gross_mark = columns.cell(cells, "Transaction Debit or Credit")
    gross = read_hundredths(gross_mark, columns.cell(cells, "Gross Transaction Amount"), "gross")
    fee = -read_hundredths(
        columns.cell(cells, "Fee Debit or Credit"), columns.cell(cells, "Fee Amount"), "fee"
    )
    currency = read_currency(columns.cell(cells, CURRENCY), CURRENCY)
    fee_currency = columns.cell(cells, "Fee Currency")
    if fee and read_currency(fee_currency, "Fee Currency") != currency:
        raise Unreadable("foreign_fee", f"a fee in {fee_currency} of an amount in {currency}")
    kind = kind_of_event(event, is_credit=gross >= 0)
    said = columns.cell(cells, "Invoice ID") or columns.cell(cells, "Custom Field")
    is_child = kind is LineKind.REFUND or kind in DISPUTES
    transaction_id = columns.cell(cells, "Transaction ID")
    bank_id = columns.cell(cells, "Bank Reference ID")
    completed = columns.cell(cells, "Transaction Completion Date")
    initiated = columns.cell(cells, "Transaction Initiation Date")
    ids = (columns.cell(cells, name) for name in ID_NAMES)
    return ParsedLine(
        line_no=line_no,
        kind=kind,
        external_id=transaction_id,
        booked_on=read_paypal_day(completed or initiated, "Transaction Completion Date"),
        value_on=None,
        currency=currency,
        gross=gross,
        fee=fee,
        net=gross - fee,
        presentment_amount=None,
        presentment_currency="",
        reference="" if kind is LineKind.REFUND else said,
        parent_reference=said if is_child else "",
        payout_id=bank_id or transaction_id if kind is LineKind.PAYOUT else "",
        merchant="",
        counterparty=_payer(columns, cells),
        text=" ".join(filter(None, (columns.cell(cells, name) for name in TEXT_NAMES))),
        references=tuple({i: None for i in ids if i.strip("0") and (i != said or is_child)}),
        is_reversal=is_reversal(event, is_credit=gross >= 0),
    )


def _check_booked(event: str, status: str) -> None:
    if not event:
        raise Unreadable("bad_row", "no Transaction Event Code")
    if status in UNBOOKED:
        raise Unreadable(NOT_BOOKED, f"the transaction is {UNBOOKED[status]}")
    if status not in BOOKED:
        raise Unreadable("unknown_status", f"{STATUS} {status[:20]!r}")
    if event[:3] in WITHOUT_MOVEMENT:
        raise Unreadable(NOT_BOOKED, f"{event} moves no money")


def _payer(columns: Columns, cells: list[str]) -> str:
    names = [columns.cell(cells, name) for name in ("First Name", "Last Name")]
    return columns.cell(cells, "Consumer Business Name") or " ".join(filter(None, names))
