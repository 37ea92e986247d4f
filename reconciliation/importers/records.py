"""What an importer reads out of a file: headers, lines, rejected lines and trailers, in file order.

A file is an iterator of records: each statement opens with a `StatementHeader`, is followed by its
lines and closes with a `StatementTrailer` (DESIGN.md §9). Nothing is guessed and nothing is
dropped: whatever cannot be read exactly is a `RejectedLine`; a file that is not of its format is
refused whole.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO, NamedTuple, Protocol

RAW_CHARS_MAX = 10_000  # a person mends the line from this

# Opens the reason of an entry that the bank reports but has not booked (pending, information).
NOT_BOOKED = "not_booked"


class LineKind(StrEnum):
    """What a line says happened; `ENTRY` is any line of a bank statement."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    FEE = "fee"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class StatementHeader:
    """Opens one statement of one account; a processor report is one statement."""

    account: str  # IBAN or other id, spaces removed; "" when the lines' currency tells the account
    currency: str  # ISO code in upper case; "" when it differs per line or is not reported
    statement_id: str
    sequence: str
    first_day: date | None
    last_day: date | None


class ParsedLine(NamedTuple):
    """One line, signed as the account moves; `gross - fee = net` holds exactly.

    A tuple, because a million of them are made faster than frozen dataclasses.
    """

    line_no: int  # first physical line in a text file, running number of the entry in XML; from 1
    kind: str  # a LineKind
    external_id: str  # the reporter's own line id, "" if none identifies it beyond its file
    booked_on: date
    value_on: date | None
    currency: str  # "" if the file tells none: its account's
    gross: Decimal
    fee: Decimal  # positive when it costs us
    net: Decimal
    presentment_amount: Decimal | None  # what the payer saw, signed; None if not reported
    presentment_currency: str
    reference: str  # the merchant's reference, untouched: the refund's own for a refund
    parent_reference: str  # of a refund or dispute: its payment's reference
    payout_id: str  # the processor payout that the line belongs to, or is
    merchant: str  # sub-account, "" if none
    counterparty: str
    text: str
    references: tuple[str, ...]  # every other id reported, without duplicates and placeholders
    is_reversal: bool = False


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """What could not be read. `reason` is a stable code, a colon and a sentence."""

    line_no: int  # 0 for a part of the statement that is not a line
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class StatementTrailer:
    """The balances and control totals that the reporter states, each None if it states none."""

    opening: Decimal | None = None
    opening_on: date | None = None
    closing: Decimal | None = None
    closing_on: date | None = None
    declared_count: int | None = None
    declared_credit: Decimal | None = None
    declared_debit: Decimal | None = None


Record = StatementHeader | ParsedLine | RejectedLine | StatementTrailer
Parser = Callable[[BinaryIO], Iterator[Record]]


class Importer(Protocol):
    """A parser that also takes what is particular to the source's files of its format."""

    def __call__(self, file: BinaryIO, options: Mapping[str, Any] = ...) -> Iterator[Record]: ...


class ImportRefused(Exception):
    """The whole file is refused; `code` is stable, `message` is for whoever sent the file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
