"""Files of banks and processors, bytes in, records out; pure (DESIGN.md §9).

A file is a seekable binary file object. What a parser yields before it raises `ImportRefused` is
read correctly, but belongs to a file that is refused: keep none of it.
"""

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO

from . import (
    adyen,
    adyen_accounting,
    bai2,
    camt,
    checkout,
    csv_statement,
    dlocal,
    mt940,
    ofx,
    other_reports,
    paypal_activity,
    paypal_records,
    paypal_settlement,
    stripe,
    stripe_history,
    stripe_payouts,
    swift,
    trustly,
)
from .csv_table import open_table
from .records import (
    NOT_BOOKED,
    Importer,
    ImportRefused,
    LineKind,
    ParsedLine,
    Parser,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)

__all__ = [
    "FORMATS",
    "NOT_BOOKED",
    "ImportRefused",
    "Importer",
    "LineKind",
    "ParsedLine",
    "Record",
    "RejectedLine",
    "StatementHeader",
    "StatementTrailer",
    "recognise",
]

Options = Mapping[str, Any]
NO_OPTIONS: Options = MappingProxyType({})

# Formats that are the same whoever sends them.
PARSERS: Mapping[str, Parser] = {
    "camt.053": camt.parse_statement,
    "camt.052": camt.parse_report,
    "camt.054": camt.parse_notification,
    "mt940": mt940.parse_statement,
    "mt942": mt940.parse_report,
    "bai2": bai2.parse,
    "ofx": ofx.parse,
    "stripe.payout_reconciliation": stripe.parse,
    "stripe.balance_history": stripe_history.parse_history,
    "stripe.balance_transactions": stripe_history.parse_transactions,
    "stripe.payouts": stripe_payouts.parse_export,
    "stripe.payout_objects": stripe_payouts.parse_objects,
    "adyen.settlement_detail": adyen.parse,
    "adyen.payments_accounting": adyen_accounting.parse,
    "paypal.settlement": paypal_settlement.parse_settlement,
    "paypal.transactions": paypal_settlement.parse_transactions,
    "checkout.settlement_breakdown": checkout.parse_breakdown,
    "checkout.payouts": checkout.parse_payouts,
    "dlocal.settlement": dlocal.parse,
    "trustly.settlement": trustly.parse_settlement,
    "trustly.transactions": trustly.parse_transactions,
}
CSV_SIGNATURES = {
    "stripe.payout_reconciliation": stripe.SIGNATURE,
    "stripe.balance_history": stripe_history.HISTORY_SIGNATURE,
    "stripe.balance_transactions": stripe_history.TRANSACTIONS_SIGNATURE,
    "stripe.payouts": stripe_payouts.EXPORT_SIGNATURE,
    "stripe.payout_objects": stripe_payouts.OBJECTS_SIGNATURE,
    "adyen.settlement_detail": adyen.SIGNATURE,
    "adyen.payments_accounting": adyen_accounting.SIGNATURE,
    "checkout.settlement_breakdown": checkout.BREAKDOWN_SIGNATURE,
    "checkout.payouts": checkout.PAYOUTS_SIGNATURE,
}
HEAD_BYTES = 4096


def _without_options(parse: Parser) -> Importer:
    def read(file: BinaryIO, options: Options = NO_OPTIONS) -> Iterator[Record]:
        return parse(file)

    return read


# Every format we read: its importer takes the file and the source's options for this format.
FORMATS: Mapping[str, Importer] = MappingProxyType(
    {code: _without_options(parse) for code, parse in PARSERS.items()}
    | {"paypal.activity": paypal_activity.parse, "csv": csv_statement.parse}
)


def recognise(
    file: BinaryIO, allowed: Collection[str] = FORMATS, options: Mapping[str, Options] = NO_OPTIONS
) -> str:
    """The format of the file among those `allowed`, told by its content; its position is kept.

    `options` are the source's, by format. A format with a signature of its own wins over "csv",
    which is recognised by the columns of the source's mapping. Refuses `format_not_allowed`,
    `unknown_format`, or what no format allows (a DOCTYPE, an undecodable text).
    """
    position = file.tell()
    try:
        code, refusal = _signature_of(file)
        if code in allowed:
            return code
        if "csv" in allowed and options.get("csv") and csv_statement.matches(file, options["csv"]):
            return "csv"
    finally:
        file.seek(position)
    if refusal is not None:
        raise refusal
    if code:
        raise ImportRefused("format_not_allowed", f"{code} is none of {', '.join(allowed)}")
    raise ImportRefused("unknown_format", f"none of {', '.join(allowed)}")


def _signature_of(file: BinaryIO) -> tuple[str, ImportRefused | None]:
    """The code, or "" and perhaps why the file cannot be of any format with a signature."""
    try:
        return _code_of(file), None
    except ImportRefused as refusal:
        return "", refusal


def _code_of(file: BinaryIO) -> str:
    file.seek(0)
    # Without byte order mark, NULs and blanks, XML opens with "<" in every encoding.
    head = file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"").lstrip()
    if ofx.is_ofx(head):
        return "ofx"
    if head.startswith(b"<"):
        return camt.format_of(file)
    if bai2.is_bai2(file):
        return "bai2"
    if code := swift.format_of(file):
        return code
    return _report_of(file, head)


def _report_of(file: BinaryIO, head: bytes) -> str:
    """Which report of a processor it is; refuses those that are known to be of no use here."""
    if head.startswith(other_reports.JSON_OPENINGS):
        other_reports.refuse_answer(head)
    if paypal_records.is_paypal_report(head):
        return paypal_settlement.format_of(file)
    if dlocal.is_dlocal(head):
        return "dlocal.settlement"
    if code := trustly.format_of(head):
        return code
    with open_table(file, "report") as table:
        for code, names in CSV_SIGNATURES.items():
            if all(table.at(name) >= 0 for name in names):
                return code
        if paypal_activity.matches(table):
            return "paypal.activity"
        other_reports.refuse_table(table)
    return ""
