"""The coded fields of MT940 and MT942: days, balances, totals and the entry line (formats.md §1).

Texts may be written as the bank likes; day, mark and amount are read exactly or not at all.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from ledger.money import CURRENCY_EXPONENTS

from .records import NOT_BOOKED
from .values import Unreadable, read_unsigned_amount

# Years are two digits, of this century below it (SWIFT User Handbook).
CENTURY_TURN = 80

_is_day = re.compile(r"[0-9]{6}").fullmatch
_entry_days = re.compile(r"([0-9]{6})([0-9]{4}|[ ]{4})? ?").match
_entry_mark = re.compile(r"(ER?[CD]|RE?[CD]|[CD])([A-Z]?) ?").match
_amount_in = re.compile(r"[0-9.,]+").match
_balance_in = re.compile(r"([CD])([0-9]{6})([A-Z]{3})(.*)").match
_total_in = re.compile(r"([0-9]{1,5})([A-Z]{3})([0-9.,]+)").fullmatch
_summary_in = re.compile(r"/SUM/([0-9]+)/([0-9]+)/([0-9.,]+)/([0-9.,]+)").match


@dataclass(frozen=True, slots=True)
class Balance:
    amount: Decimal  # negative for a debit
    day: date
    currency: str


@dataclass(frozen=True, slots=True)
class Total:
    """How many entries there are of one direction, and their unsigned sum."""

    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EntryLine:
    """Field 61, its first line, read."""

    booked_on: date
    value_on: date
    net: Decimal
    is_reversal: bool
    our_reference: str
    bank_reference: str


def read_swift_amount(text: str, currency: str, name: str) -> Decimal:
    """The number before and after a decimal comma, some banks' point; nothing may follow it.

    Three digits after it, in a currency that has not three, are as likely a thousand: refused.
    """
    whole, mark, decimals = text.replace(",", ".").partition(".")
    if len(decimals) == 3 and CURRENCY_EXPONENTS.get(currency) != 3:
        raise Unreadable("bad_amount", f"{name} {text[:40]!r}: a thousand or three decimals?")
    return read_unsigned_amount(whole + mark + decimals, name)


@lru_cache(maxsize=4096)
def read_swift_day(text: str, name: str) -> date:
    """The day YYMMDD. A day that its month does not have is the month's last: where interest is
    counted in months of 30 days, the 30th of February exists.
    """
    if not _is_day(text):
        raise Unreadable("bad_date", f"{name} {text[:40]!r} is not a day written YYMMDD")
    return _day_in(century_year(int(text[:2])), text[2:], name)


@lru_cache(maxsize=4096)
def read_entry_day(text: str, value_on: date) -> date:
    """The day MMDD that is nearest to the value date: the field has no year."""
    years = range(value_on.year - 1, value_on.year + 2)
    days = [_day_in(year, text, "entry date") for year in years]
    return min(days, key=lambda day: abs(day - value_on))


def century_year(year: int) -> int:
    return year + (1900 if year >= CENTURY_TURN else 2000)


def _day_in(year: int, text: str, name: str) -> date:
    month, day = int(text[:2]), int(text[2:])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise Unreadable("bad_date", f"{name} {text!r} is not a month and a day")
    return date(year, month, min(day, monthrange(year, month)[1]))


def read_entry_line(text: str, currency: str) -> EntryLine:
    """`6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]`. The mark first, then the letter of the currency."""
    days = _entry_days(text)
    if days is None:
        raise Unreadable("bad_date", f"value date {text[:10]!r} is not YYMMDD")
    mark = _entry_mark(text, days.end())
    if mark is None:
        raise Unreadable("bad_direction", f"{text[days.end() :][:10]!r} is neither C, D, RC nor RD")
    amount = _amount_in(text, mark.end())
    # What follows the digits shows where they end: an amount that is cut off has nothing there.
    kind = text[amount.end() :].lstrip() if amount else ""
    if amount is None or not kind[:1].isalpha():
        raise Unreadable("bad_amount", f"{text[mark.end() :][:40]!r} is not an amount and a type")
    unsigned = read_swift_amount(amount[0], currency, "amount")
    if "E" in mark[1]:
        raise Unreadable(NOT_BOOKED, f"mark {mark[1]}: the entry is only expected")
    value_on = read_swift_day(days[1], "value date")
    entry_day = (days[2] or "").strip()
    our_reference, _, bank_reference = _without_type(kind).partition("//")
    return EntryLine(
        booked_on=read_entry_day(entry_day, value_on) if entry_day else value_on,
        value_on=value_on,
        # The reversal of a credit takes the money away again.
        net=unsigned if mark[1] in ("C", "RD") else -unsigned,
        is_reversal=mark[1] in ("RC", "RD"),
        our_reference=our_reference.strip(),
        bank_reference=bank_reference.strip(),
    )


def _without_type(text: str) -> str:
    """The references behind the type, `NTRF`; one dialect has no type before its NONREF."""
    return text if text.startswith("NONREF") else text[4:]


def read_balance(text: str, name: str) -> Balance:
    """`1!a6!n3!a15d`: the mark, the day, the currency, the amount."""
    found = _balance_in(text)
    if found is None:
        sentence = f"{name} {text[:40]!r} is not a mark, a day, a currency and an amount"
        raise Unreadable("bad_balance", sentence)
    mark, day, currency, amount = found.groups()
    unsigned = read_swift_amount(amount.strip(), currency, name)
    return Balance(-unsigned if mark == "D" else unsigned, read_swift_day(day, name), currency)


def currency_of_balance(text: str) -> str:
    """The currency of a balance whose day or amount may not be readable."""
    found = _balance_in(text)
    return found[3] if found else ""


def read_total(text: str, name: str) -> Total:
    """`5n3!a15d`: number and sum of the debits (90D) or credits (90C)."""
    found = _total_in(text)
    if found is None:
        raise Unreadable("bad_total", f"{name} {text[:40]!r} is not a number and a sum")
    return Total(int(found[1]), read_swift_amount(found[3], found[2], name))


def read_summary(text: str, currency: str) -> tuple[Total, Total] | None:
    """Debits and credits as a Dutch bank sums them up in a statement's closing text."""
    found = _summary_in(text)
    if found is None:
        return None
    debits, credits = (
        Total(int(found[place]), read_swift_amount(found[place + 2], currency, "sum"))
        for place in (1, 2)
    )
    return debits, credits
