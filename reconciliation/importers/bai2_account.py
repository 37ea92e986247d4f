"""One account of a BAI2 file: its summary (03) and its details (16) (formats.md §3)."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ledger.money import CURRENCY_EXPONENTS

from .bai2_records import BaiFields, BaiRecord, is_digits, read_minor_units
from .records import NOT_BOOKED, LineKind, ParsedLine, StatementHeader, StatementTrailer
from .swift_text import identifies_line, is_id
from .swift_values import century_year
from .values import Unreadable, read_currency

DEFAULT_CURRENCY = "USD"

# Only the ledger balances are booked; 040, 045 and others are of what is available.
OPENING, CLOSING = "010", "015"
TOTAL_CREDITS, TOTAL_DEBITS = "100", "400"
# 900 and above are the bank's own codes, in the ranges that the specification leaves for them.
CREDIT_TYPES = (range(100, 400), range(920, 960))
DEBIT_TYPES = (range(400, 700), range(960, 1000))
INFORMATION_TYPE = "890"


@dataclass(frozen=True, slots=True)
class Summary:
    """One group of four in an account record."""

    amount: int | None  # minor units
    count: int | None


@dataclass(slots=True)
class Account:
    """An account being read; `control_sum` is None once an amount could not be read."""

    number: str
    currency: str
    day: date | None
    control_sum: int | None = 0
    records_count: int = 0
    summaries: dict[str, Summary] = field(default_factory=dict)

    def header(self, statement_id: str) -> StatementHeader:
        return StatementHeader(
            account=self.number,
            currency=self.currency,
            statement_id=statement_id,
            sequence="",
            first_day=self.day,
            last_day=self.day,
        )

    def take_summaries(self, fields: BaiFields) -> None:
        """Reads the groups of type, amount, item count, funds type."""
        while not fields.is_read:
            code = fields.take()
            # Where a record goes on in the next line, an empty field may stand before the break.
            if not code:
                continue
            amount = read_minor_units(fields.take(), f"amount of type {code[:3]}")
            count = fields.take()
            fields.take_funds()
            self.add(amount)
            found = Summary(amount, int(count[:9]) if is_digits(count) else None)
            self.summaries.setdefault(code, found)

    def add(self, amount: int | None) -> None:
        """Counts an amount for the control total: with its sign as written, whatever its type."""
        if self.control_sum is not None:
            self.control_sum += amount or 0

    def take_detail(self, record: BaiRecord) -> ParsedLine:
        """The line that a detail record is; `Unreadable` if it is none."""
        fields = BaiFields(record)
        code, amount_text = fields.take(), fields.take()
        try:
            amount = read_minor_units(amount_text, "amount")
        except Unreadable:
            self.control_sum = None
            raise
        self.add(amount)
        if code == INFORMATION_TYPE and not amount:
            raise Unreadable(NOT_BOOKED, f"type {INFORMATION_TYPE} is information without money")
        if amount is None or amount_text.startswith("-"):
            raise Unreadable("bad_amount", f"type {code[:3]} without an unsigned amount")
        net = self._major(amount if _is_credit(code) else -amount)
        value_on = self._value_day(*fields.take_funds())
        bank_reference, reference = fields.take_here(), fields.take_here()
        if self.day is None:
            raise Unreadable("bad_date", "the group has no as-of date")
        ids = [text for text in (bank_reference, reference) if is_id(text)]
        return ParsedLine(
            line_no=record.line_no,
            kind=LineKind.ENTRY,
            external_id=bank_reference if identifies_line(bank_reference) else "",
            booked_on=self.day,
            value_on=value_on,
            currency=self.currency,
            gross=net,
            fee=Decimal(0),
            net=net,
            presentment_amount=None,
            presentment_currency="",
            reference=reference if is_id(reference) else "",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty="",
            text=fields.rest(),
            references=tuple(dict.fromkeys(ids)),
        )

    def trailer(self) -> StatementTrailer:
        """The booked balances and the totals by direction, as the summary states them."""
        opening, closing = self._balance(OPENING), self._balance(CLOSING)
        credits, debits = self._summary(TOTAL_CREDITS), self._summary(TOTAL_DEBITS)
        counts = (credits.count, debits.count)
        return StatementTrailer(
            opening=opening,
            opening_on=self.day if opening is not None else None,
            closing=closing,
            closing_on=self.day if closing is not None else None,
            declared_count=None if None in counts else sum(count or 0 for count in counts),
            declared_credit=self._balance(TOTAL_CREDITS),
            declared_debit=self._balance(TOTAL_DEBITS),
        )

    def _summary(self, code: str) -> Summary:
        return self.summaries.get(code, Summary(None, None))

    def _balance(self, code: str) -> Decimal | None:
        amount = self._summary(code).amount
        is_readable = amount is not None and self.currency in CURRENCY_EXPONENTS
        return self._major(amount) if amount is not None and is_readable else None

    def _major(self, minor_units: int) -> Decimal:
        exponent = CURRENCY_EXPONENTS.get(read_currency(self.currency, "currency"))
        if exponent is None:
            raise Unreadable("bad_currency", f"the decimals of {self.currency} are not known")
        return Decimal(minor_units).scaleb(-exponent)

    def _value_day(self, kind: str, fields: list[str]) -> date | None:
        """The day on which the money is available, where the funds type names one."""
        if kind == "V" and fields[0]:
            return read_bai_day(fields[0], "value date")
        return self.day if kind == "0" else None


def _is_credit(code: str) -> bool:
    """The direction is the type's: amounts of details carry no sign."""
    number = int(code) if len(code) == 3 and is_digits(code) else 0
    if any(number in types for types in CREDIT_TYPES):
        return True
    if any(number in types for types in DEBIT_TYPES):
        return False
    raise Unreadable("bad_direction", f"type {code[:40]!r} is neither a credit nor a debit")


def read_bai_day(text: str, name: str) -> date:
    """The day YYMMDD, or YYYYMMDD as version 3 has it."""
    if len(text) in (6, 8) and is_digits(text):
        year = int(text[:4]) if len(text) == 8 else century_year(int(text[:2]))
        try:
            return date(year, int(text[-4:-2]), int(text[-2:]))
        except ValueError:
            pass
    raise Unreadable("bad_date", f"{name} {text[:40]!r} is not a day written YYMMDD")
