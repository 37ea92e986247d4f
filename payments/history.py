"""Rows of another system's history: payments and refunds as a file tells them, checked and typed.

Nothing here asks the database: a thread may read while another one loads.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TextIO

from ledger.errors import Invalid
from ledger.money import Money, exponent_of
from payments.models.merchants import MERCHANT_CODE

TEXT_LENGTHS = {"payment_id": 80, "merchant": 40, "reference": 80, "psp": 40}
COLUMNS = (*TEXT_LENGTHS, "type", "status", "amount", "currency", "created_at")
OPTIONAL_COLUMNS = (
    "parent_reference",
    "expected_fee",
    "fee_currency",
    "settlement_currency",
    "expected_settlement_date",
)
LINE_LENGTH_MAX = 1_000_000  # characters
VALUES_KEPT = 32_768  # amounts and days read before: the same ones come again and again

_undecoded = re.compile("[\ud800-\udfff]").search

Fields = tuple[str, ...]


class RowRefused(Invalid):
    code = "row_refused"

    def __init__(self, line_no: int, problem: object) -> None:
        super().__init__(f"Line {line_no}: {problem}")


class HistoryRow(NamedTuple):
    """One row of the file. `digest` tells the same row again from another row under the same id."""

    line_no: int
    external_id: str
    merchant: str
    is_refund: bool
    is_settled: bool
    money: Money
    reference: str
    parent_reference: str
    effective_at: datetime
    gateway: str
    fee_expected: Money | None
    settlement_currency: str
    settlement_due_on: date | None
    digest: str

    @property
    def idempotency_key(self) -> str:
        return f"import:{self.external_id}"


def read_history(file: TextIO, gateways: Collection[str]) -> Iterator[HistoryRow]:
    """The rows, by the columns of the header.

    Raises Invalid if columns are missing, and RowRefused for the first row that is bad or names
    none of the gateways. Where the file is not UTF-8 the line is named if it was opened with
    `errors="surrogateescape"`.
    """
    reader = csv.reader(_lines(file))
    try:
        fields_of = _picker(next(reader, []))
        for values in reader:
            if not values:
                continue
            try:
                row = _row(reader.line_num, fields_of(values))
                _check(row, gateways)
            except (ValueError, TypeError, OverflowError, Invalid) as problem:
                raise RowRefused(reader.line_num, problem) from None
            yield row
    except csv.Error as problem:
        raise RowRefused(reader.line_num, problem) from None


def _lines(file: TextIO) -> Iterator[str]:
    line_no = 0
    while line := file.readline(LINE_LENGTH_MAX):
        line_no += 1
        if len(line) == LINE_LENGTH_MAX:
            raise RowRefused(line_no, f"it is longer than {LINE_LENGTH_MAX} characters")
        if not line.isascii() and _undecoded(line):
            raise RowRefused(line_no, "it is not UTF-8")
        yield line


def _picker(header: list[str]) -> Callable[[list[str]], Fields]:
    """Takes our columns out of a row, in our order; what a row does not have is empty."""
    places = {name: place for place, name in enumerate(header)}
    missing = set(COLUMNS) - places.keys()
    if missing:
        raise Invalid(f"The columns {', '.join(sorted(missing))} are missing.")
    width = len(header)
    # Columns that the file does not have are found behind its last one.
    pick = itemgetter(*(places.get(name, width) for name in (*COLUMNS, *OPTIONAL_COLUMNS)))

    def fields_of(values: list[str]) -> Fields:
        values[width:] = [""] * max(1, width + 1 - len(values))
        return pick(values)

    return fields_of


def _row(line_no: int, fields: Fields) -> HistoryRow:
    external_id, merchant, reference, gateway, kind, status, *amounts = fields
    amount, currency, created_at, parent_reference, *optional = amounts
    fee, fee_currency, settlement_currency, due_on = optional
    _check_words(kind, status, merchant, fields)
    money, money_text = _positive(amount, currency)
    effective_at = _moment(created_at)
    is_refund, is_settled = kind == "refund", status == "settled"
    said = (merchant, is_refund, is_settled, money_text, reference, effective_at)
    exponent_of(settlement_currency or currency)
    return HistoryRow(
        line_no,
        external_id,
        merchant,
        is_refund,
        is_settled,
        money,
        reference,
        parent_reference,
        effective_at,
        gateway,
        _fee(fee, fee_currency or currency) if fee else None,
        settlement_currency or currency,
        _day(due_on) if due_on else None,
        hashlib.sha256(repr(said).encode()).hexdigest(),
    )


def _check_words(kind: str, status: str, merchant: str, fields: Fields) -> None:
    if kind not in ("payment", "refund"):
        raise ValueError(f"type is {kind!r}; payment or refund is known")
    if status not in ("captured", "settled"):
        raise ValueError(f"status is {status!r}; captured or settled is known")
    for (column, length), text in zip(TEXT_LENGTHS.items(), fields, strict=False):
        if not text:
            raise ValueError(f"{column} is empty")
        if len(text) > length or "\x00" in text:
            raise ValueError(f"{column} is longer than {length} characters or contains NUL")
    if not MERCHANT_CODE.fullmatch(merchant):
        raise ValueError(f"merchant {merchant!r} is no code of a merchant")


@lru_cache(VALUES_KEPT)
def _positive(amount: str, currency: str) -> tuple[Money, str]:
    money = Money.of(amount, currency)
    if money.amount <= 0:
        raise ValueError(f"the amount {money} is not positive")
    return money, str(money)


@lru_cache(VALUES_KEPT)
def _fee(fee: str, currency: str) -> Money:
    if fee.startswith("-"):
        raise ValueError(f"expected_fee {fee} is negative")
    return Money.of(fee, currency)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


@lru_cache(VALUES_KEPT)
def _day(text: str) -> date:
    return date.fromisoformat(text)


def _check(row: HistoryRow, gateways: Collection[str]) -> None:
    if row.gateway not in gateways:
        raise ValueError(f"there is no gateway {row.gateway!r} (psp)")
    if not row.is_refund:
        return
    if not row.parent_reference:
        raise ValueError("a refund needs its payment's reference (parent_reference)")
    if row.is_settled:
        raise ValueError("a refund that was settled elsewhere is not loaded")
