"""Texts to amounts, days and currencies: exactly or not at all (formats.md §0, R5.9)."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

# 18 digits, the ISO 20022 limit, with a sign and a point.
AMOUNT_CHARS_MAX = 20

_UNSIGNED = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_is_unsigned_amount = re.compile(_UNSIGNED).fullmatch
_is_amount = re.compile(rf"[+-]?{_UNSIGNED}").fullmatch
_is_day = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
    r" ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
).fullmatch
_is_currency = re.compile(r"[A-Z]{3}").fullmatch


class Unreadable(ValueError):
    """A value that cannot be read exactly; its text is the reason of a `RejectedLine`."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")


def read_amount(text: str, name: str) -> Decimal:
    """The signed decimal that `text` is: ASCII digits with a point, no exponent, no grouping."""
    if len(text) > AMOUNT_CHARS_MAX or not _is_amount(text):
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not a decimal number")
    return Decimal(text)


def read_unsigned_amount(text: str, name: str) -> Decimal:
    """As `read_amount`, where the sign stands elsewhere (debit mark, debit column)."""
    if len(text) > AMOUNT_CHARS_MAX or not _is_unsigned_amount(text):
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not an unsigned decimal number")
    return Decimal(text)


@lru_cache(maxsize=4096)
def read_day(text: str, name: str) -> date:
    """The day as printed; time and zone are checked and ignored (formats.md §0.9)."""
    if _is_day(text):
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            pass  # the 30th of February
    raise Unreadable("bad_date", f"{name} {text[:40]!r} is not a day written YYYY-MM-DD")


@lru_cache(maxsize=1024)
def read_currency(text: str, name: str) -> str:
    """The ISO code in upper case; XXX and other codes are for the ledger to know or not."""
    code = text.strip().upper()
    if not _is_currency(code):
        raise Unreadable("bad_currency", f"{name} {text[:40]!r} is not a currency code")
    return code
