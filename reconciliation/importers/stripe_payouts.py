"""Lists of Stripe payouts: the dashboard's export, and those of the API in a table.

A payout leaves the balance when it is made; one with a negative amount takes from our bank what
the balance lacks. Evidence of what is to arrive at the bank, not of what it consists of.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO

from .csv_table import Table, open_table
from .records import LineKind, ParsedLine, Record
from .report_table import read_report
from .stripe_units import read_major, read_minor
from .values import Unreadable, read_currency, read_day

FORMAT_NAME = "Stripe payouts"
EXPORT_SIGNATURE = frozenset({"id", "amount", "currency", "created (utc)", "arrival date (utc)"})
# These names are those of the API's fields.
OBJECTS_SIGNATURE = frozenset(
    {"id", "amount", "currency", "created", "arrival_date", "source_type", "livemode"}
)
PAID = frozenset({"paid", "in_transit", "pending"})

ReadAmount = Callable[[str, str, str], Decimal]


def parse_export(file: BinaryIO) -> Iterator[Record]:
    """The dashboard's export as one statement."""
    return _parse(file, read_major)


def parse_objects(file: BinaryIO) -> Iterator[Record]:
    """The API's payouts as one statement."""
    return _parse(file, read_minor)


def _parse(file: BinaryIO, read: ReadAmount) -> Iterator[Record]:
    with open_table(file, FORMAT_NAME) as table:
        yield from read_report(table, _List(table, read).line)


class _List:
    """The places of the columns in one list."""

    def __init__(self, table: Table, read: ReadAmount) -> None:
        self._read = read
        self.id = table.require("id")
        self.amount = table.require("amount")
        self.currency = table.require("currency")
        self.created = table.require("created (utc)", "created")
        self.arrival = table.require("arrival date (utc)", "arrival_date")
        self.status = table.require("status")
        self.description = table.at("description")
        self.descriptor = table.at("statement descriptor", "statement_descriptor")
        self.merchant = table.at("connected_account_id")
        self.transaction = table.at(
            "balance transaction", "balance_transaction", "balance_transaction_id"
        )

    def line(self, line_no: int, cells: list[str]) -> ParsedLine:
        """The line that a row is; `Unreadable` if it is none, or a payout that came back."""
        said = [cell.strip() for cell in cells]
        if not said[self.id]:
            raise Unreadable("bad_row", "no id")
        status = said[self.status].lower().replace(" ", "_")
        if status not in PAID:
            told = f"a payout that is {status[:20]!r}: when it came back, no list says"
            raise Unreadable("returned_payout", told)
        currency = read_currency(said[self.currency], "currency")
        net = -self._read(said[self.amount], currency, "amount")
        transaction = said[self.transaction]
        texts = (said[self.description], said[self.descriptor])
        return ParsedLine(
            line_no=line_no,
            kind=LineKind.PAYOUT,
            external_id=transaction or said[self.id],
            booked_on=read_day(said[self.created], "created"),
            value_on=read_day(said[self.arrival], "arrival date"),
            currency=currency,
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
            text=" ".join(filter(None, texts)),
            references=(said[self.id],),
        )
