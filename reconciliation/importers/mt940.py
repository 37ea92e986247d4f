"""SWIFT MT940 customer statements and MT942 interim reports (formats.md §1).

A parser of our own: the library mt-940 (5.1.1) has no line numbers, holds the whole file (2.4 kB an
entry), gives up a file for one impossible date, takes EC and ED for errors, and reads `1.234,56` as
1 without a word. Each message is a statement; the pages of a long one (60M, 62M) are statements of
their own, which continue one another by balance and by sequence number.
"""

from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

from .mt940_entry import Entry, account_of
from .records import (
    RAW_CHARS_MAX,
    ImportRefused,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from .swift import Field, format_of, read_fields
from .swift_values import (
    Balance,
    Total,
    currency_of_balance,
    read_balance,
    read_summary,
    read_swift_day,
    read_total,
)
from .values import Unreadable, read_currency

OPENINGS = ("60F", "60M")
CLOSINGS = ("62F", "62M")
# These open a statement if the one before them has closed: some banks write 20 once for many.
HEADER_TAGS = ("25", "25P", "28", "28C", *OPENINGS)


def parse_statement(file: BinaryIO) -> Iterator[Record]:
    """MT940: booked entries between two balances."""
    return _parse(file, "mt940")


def parse_report(file: BinaryIO) -> Iterator[Record]:
    """MT942: provisional entries within the day, without balances."""
    return _parse(file, "mt942")


def _parse(file: BinaryIO, code: str) -> Iterator[Record]:
    """A report read as a statement would count its entries a second time: it is refused."""
    found = format_of(file)
    if found != code:
        raise ImportRefused("not_this_format", f"{found or 'no SWIFT statement'}, not {code}")
    statement: _Statement | None = None
    for field in read_fields(file):
        if statement is None or statement.is_ended_by(field):
            if statement is not None:
                yield from statement.close()
            statement = _Statement(code)
        yield from statement.take(field)
    if statement is None:
        raise ImportRefused("no_statements", f"the {code} file holds no statement")
    yield from statement.close()


class _Statement:
    """A message being read: its header is known when its first entry opens."""

    def __init__(self, code: str) -> None:
        self._is_report = code == "mt942"
        self._fields: dict[str, str] = {}
        self._currency = ""
        self._last_day: date | None = None
        self._opening: Balance | None = None
        self._closing: Balance | None = None
        self._debits: Total | None = None
        self._credits: Total | None = None
        self._is_opened = False
        self._entry: Entry | None = None

    def is_ended_by(self, field: Field) -> bool:
        """Whether `field` belongs to the next statement."""
        if field.tag == "20":
            return True
        is_another_account = field.tag in ("25", "25P") and "25" in self._fields
        return is_another_account or ("62" in self._fields and field.tag in HEADER_TAGS)

    def take(self, field: Field) -> Iterator[Record]:
        """The records that `field` completes."""
        tag = field.tag
        if tag == "86" and self._entry is not None:
            self._entry.add_text(field)
            return
        yield from self._close_entry()
        if tag == "61":
            yield from self._open()
            self._entry = Entry(field, self._currency)
            return
        try:
            self._take_frame(field)
        except Unreadable as problem:
            yield from self._open()
            yield RejectedLine(0, str(problem), f":{tag}:{field.first}"[:RAW_CHARS_MAX])

    def close(self) -> Iterator[Record]:
        """The last entry, what the statement lacks, and its trailer."""
        yield from self._close_entry()
        yield from self._open()
        if not self._is_report:
            for name, tag in (("opening", "60"), ("closing", "62")):
                if tag not in self._fields:
                    sentence = f"the statement has no :{tag}F:, it may have been cut off"
                    yield RejectedLine(0, f"no_{name}_balance: {sentence}", "")
        opening, closing = self._opening, self._closing
        debits, credits = self._debits, self._credits
        yield StatementTrailer(
            opening=opening.amount if opening else None,
            opening_on=opening.day if opening else None,
            closing=closing.amount if closing else None,
            closing_on=closing.day if closing else None,
            declared_count=debits.count + credits.count if debits and credits else None,
            declared_credit=credits.amount if credits else None,
            declared_debit=debits.amount if debits else None,
        )

    def _open(self) -> Iterator[StatementHeader]:
        if self._is_opened:
            return
        self._is_opened = True
        yield StatementHeader(
            account=account_of(self._fields.get("25", ""), self._currency),
            currency=self._currency,
            statement_id=self._fields.get("20", ""),
            sequence=self._fields.get("28", ""),
            first_day=None,
            last_day=self._last_day,
        )

    def _close_entry(self) -> Iterator[Record]:
        entry, self._entry = self._entry, None
        if entry is not None:
            yield entry.line()

    def _take_frame(self, field: Field) -> None:
        tag = field.tag
        if tag in OPENINGS or tag in CLOSINGS:
            self._refuse_if(self._is_report, field)
            self._take_balance(field)
        elif tag == "34F":
            self._refuse_if(not self._is_report, field)
            self._currency = self._currency or read_currency(field.first[:3], ":34F:")
        elif tag == "90D":
            self._debits = read_total(field.first, ":90D:")
        elif tag == "90C":
            self._credits = read_total(field.first, ":90C:")
        elif tag == "86":
            totals = read_summary(field.first, self._currency)
            self._debits, self._credits = totals or (self._debits, self._credits)
        elif tag in ("13", "13D") and self._is_report:
            self._last_day = read_swift_day(field.first[:6], f":{tag}:")
        elif tag in ("20", "25", "25P", "28", "28C"):
            self._fields[tag[:2]] = field.first

    def _take_balance(self, field: Field) -> None:
        name = "opening" if field.tag in OPENINGS else "closing"
        is_again = field.tag[:2] in self._fields
        self._fields[field.tag[:2]] = field.first
        if name == "opening" and not is_again:
            self._currency = currency_of_balance(field.first)
        balance = read_balance(field.first, f"{name} balance")
        if is_again:
            raise Unreadable("second_balance", f"the statement has another {name} balance")
        if self._currency and balance.currency != self._currency:
            sentence = f"{name} balance in {balance.currency}, the account in {self._currency}"
            raise Unreadable("bad_currency", sentence)
        if name == "opening":
            self._opening = balance
        else:
            self._closing = balance

    def _refuse_if(self, is_other: bool, field: Field) -> None:
        if is_other:
            sentence = f"statements (MT940) and interim reports (MT942), line {field.line_no}"
            raise ImportRefused("mixed_messages", sentence)
