"""Amounts and days as a bank prints them, read by a declared pattern (formats.md §5, R5.9)."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from .values import AMOUNT_CHARS_MAX, Unreadable

CELL_CHARS_MAX = 60

# A blank between thousands may be any that does not break the line; an apostrophe may be curly.
_BLANKS = " \u00a0\u2009\u202f"
THOUSANDS = {"": "", ".": ".", ",": ",", " ": _BLANKS, "'": "'’"}
_MINUSES = "-\u2212"

_MONTH_NAMES = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jänner feber maerz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan feb mrt apr may jun jul aug sept oct nov dec",
)
_MONTH_CHARS_MIN = 3

_TOKENS = {
    "YYYY": "(?P<year>[0-9]{4})",
    "YY": "(?P<year>[0-9]{2})",
    "MON": r"(?P<name>[^\W\d_]{3,12})\.?",
    "MM": "(?P<month>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "DD": "(?P<day>[0-9]{2})",
    "D": "(?P<day>[0-9]{1,2})",
    "*": ".*",
}
_TIME = (
    r"(?:(?:T|,? +)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?)?"
    r" ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
# Two digits of a year from this on are of the last century.
_CENTURY_TURN = 80


def bare(cell: str) -> str:
    """The cell without what spreadsheets need to leave it alone: `'00123` and `="00123"`."""
    text = cell.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1].strip()
    return text.removeprefix("'").strip()


class AmountPattern:
    """Reads amounts with this decimal mark, at most this mark between thousands, these symbols."""

    def __init__(self, decimal: str, thousands: str, symbols: Collection[str]) -> None:
        point = re.escape(decimal)
        whole = "[0-9]+"
        self._between = THOUSANDS[thousands]
        if self._between:
            mark = f"[{re.escape(self._between)}]"
            # Groups of two are Indian; the last one always has three digits.
            whole = f"(?:[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]+)"
        sign = f"[{re.escape(_MINUSES)}+]"
        names = "|".join(re.escape(one) for one in sorted(symbols, key=len, reverse=True))
        symbol = rf"(?:{names})?\s*" if names else ""
        self._fullmatch = re.compile(
            rf"(?P<open>\()?\s*(?P<s1>{sign})?\s*{symbol}(?P<s2>{sign})?\s*"
            rf"(?P<number>{whole}(?:{point}[0-9]*)?|{point}[0-9]+)"
            rf"\s*(?P<s3>{sign})?\s*{symbol}(?P<s4>{sign})?\s*(?P<close>\))?",
            re.IGNORECASE,
        ).fullmatch
        self._decimal = decimal

    def read(self, text: str, name: str) -> tuple[Decimal, int]:
        """The number without its sign, and the sign printed with it: -1, 1, or 0 for none.

        Brackets are a minus. Raises `Unreadable` for whatever else stands in the cell.
        """
        found = self._fullmatch(text) if len(text) <= CELL_CHARS_MAX else None
        if found is not None:
            signs = [sign for sign in found.group("s1", "s2", "s3", "s4") if sign]
            brackets = [bracket for bracket in found.group("open", "close") if bracket]
            number = found["number"]
            for mark in self._between:
                number = number.replace(mark, "")
            is_plain = (len(signs), len(brackets)) in ((0, 0), (1, 0), (0, 2))
            if is_plain and len(number) <= AMOUNT_CHARS_MAX:
                value = Decimal(number.replace(self._decimal, "."))
                return value, -1 if brackets or (signs and signs[0] in _MINUSES) else len(signs)
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is no amount of this mapping")


class DayPattern:
    """Reads days printed as `pattern` says: YYYY or YY, MM or M or MON, DD or D, `*` for a rest.

    All else in the pattern stands for itself. A time behind the day is checked and ignored.
    Raises ValueError for a pattern that does not tell year, month and day once each.
    """

    def __init__(self, pattern: str, months: Sequence[str] = ()) -> None:
        self._pattern = pattern
        parts = re.split(r"(YYYY|YY|MON|MM|M|DD|D|\*)", pattern)
        told = sorted(part[0] for part in parts if part in _TOKENS and part != "*")
        if told != ["D", "M", "Y"]:
            raise ValueError("a date needs one of YYYY, YY, one of MM, M, MON and one of DD, D")
        if "*" in parts and not pattern.endswith("*"):
            raise ValueError("* stands for the rest of a date, at its end")
        body = "".join(_TOKENS.get(part) or re.escape(part) for part in parts)
        self._fullmatch = re.compile(body + _TIME).fullmatch
        self._months = _numbered(months) if months else _MONTHS
        self.read = lru_cache(maxsize=4096)(self._read)

    def _read(self, text: str, name: str) -> date:
        found = self._fullmatch(text) if len(text) <= CELL_CHARS_MAX else None
        if found is not None:
            parts = found.groupdict()
            month = int(parts.get("month") or self._months.get(parts.get("name", "").casefold(), 0))
            year = int(parts["year"])
            if len(parts["year"]) == 2:
                year += 1900 if year >= _CENTURY_TURN else 2000
            try:
                return date(year, month, int(parts["day"]))
            except ValueError:
                pass  # the 30th of February, the 13th month
        raise Unreadable("bad_date", f"{name} {text[:40]!r} is not a day written {self._pattern}")


def _numbered(*languages: Sequence[str]) -> dict[str, int]:
    """Each name and each beginning of it that no other month has, with the month's number."""
    found: dict[str, set[int]] = {}
    for names in languages:
        for number, name in enumerate(names, start=1):
            for size in range(min(_MONTH_CHARS_MIN, len(name)), len(name) + 1):
                found.setdefault(name[:size].casefold(), set()).add(number)
    return {text: numbers.pop() for text, numbers in found.items() if len(numbers) == 1}


_MONTHS = _numbered(*(names.split() for names in _MONTH_NAMES))
