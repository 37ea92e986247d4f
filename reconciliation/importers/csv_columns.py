"""What columns of bank exports are called, and what their cells look like: for proposals only."""

import re
from collections.abc import Sequence
from typing import Any

from ledger.money import CURRENCY_EXPONENTS

from .csv_values import AmountPattern, DayPattern, bare
from .values import Unreadable

BOOKED_NAMES = "booking booked buchung buchungsdatum posting posted boekdatum completed".split()
VALUE_NAMES = "valut value wert wertstellung értéknap started effective".split()
BALANCE_NAMES = "balance saldo solde egyenleg kontostand stan остаток zůstatek".split()
CREDIT_NAMES = (
    "credit haben deposit deposits einnahmen crédit abono paid-in gutschrift avere entrate"
    " 收入 入金"
).split()
DEBIT_NAMES = (
    "debit soll withdrawal withdrawals ausgaben débit cargo paid-out lastschrift belastung debet"
    " dare uscite 支出 出金"
).split()
ACCOUNT_NAMES = "account konto iban rekening rekeningnummer compte cuenta számlaszám счета".split()
ID_NAMES = "id referenz reference referentie ref transactionid number".split()
COUNTERPARTY_NAMES = (
    "name naam payee partner counterparty empfänger beguenstigter tegenrekeninghouder merchant"
).split()

# Words for credit and debit.
MARKS = (
    *(("C", "D"), ("CR", "DR"), ("credit", "debit"), ("CRDT", "DBIT"), ("Bij", "Af")),
    *(("H", "S"), ("Haben", "Soll"), ("+", "-"), ("inflow", "outflow"), ("IN", "OUT")),
)

_DAY_PATTERNS = (
    *("YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "YYYY.MM.DD.", "YYYYMMDD"),
    *("DD.MM.YYYY", "DD.MM.YY", "D.M.YYYY", "D.M.YY"),
    *("DD/MM/YYYY", "MM/DD/YYYY", "DD/MM/YY", "MM/DD/YY"),
    *("D/M/YYYY", "M/D/YYYY", "D/M/YY", "M/D/YY"),
    *("DD-MM-YYYY", "MM-DD-YYYY", "DD-MM-YY", "D-M-YYYY", "M-D-YYYY"),
    *("DD-MON-YYYY", "DD-MON-YY", "DD MON YYYY", "D MON YYYY", "MON D, YYYY", "MON DD YYYY"),
    "YYYYMMDD*",
)
_READERS = {pattern: DayPattern(pattern) for pattern in _DAY_PATTERNS}
_SYMBOLS = re.compile(r"[€£$¥₽₴₹]|(?<![A-Za-z])(?:[A-Z]{3}|Kč|zł|Ft|kr)(?![A-Za-z])")
_AMOUNT = re.compile(r"[-+(\u2212]?\s*[0-9][0-9.,' \u00a0\u202f’]*\)?-?|[-+]?[.,][0-9]+")
_SETTINGS = [
    (decimal, thousands)
    for thousands in ("", ",", ".", " ", "'")
    for decimal in (".", ",")
    if decimal != thousands
]


def mentions(name: str, words: Sequence[str]) -> bool:
    """Whether one of the words is one of those of the column's name, or begins one."""
    parts = re.split(r"[\W_]+", name.casefold().replace("paid in", "paid-in"))
    return any(part.startswith(word) for word in words for part in parts if len(word) > 2) or any(
        part == word or (not word.isascii() and word in part) for word in words for part in parts
    )


def currency_of_name(name: str) -> str:
    """The currency that a column of amounts is named after, "" if none: `Amount (EUR)`."""
    said = {word for word in re.findall(r"\b[A-Z]{3}\b", name) if word in CURRENCY_EXPONENTS}
    return said.pop() if len(said) == 1 else ""


def is_day(cell: str) -> bool:
    return bool(day_patterns([cell]))


def day_patterns(cells: Sequence[str]) -> list[str]:
    """The patterns by which all the cells read; of those that differ in strictness the first."""
    found = [pattern for pattern in _DAY_PATTERNS if all(_reads(pattern, cell) for cell in cells)]
    told: dict[tuple[str, ...], str] = {}
    for pattern in found:
        days = tuple(str(_READERS[pattern].read(bare(cell), "day")) for cell in cells)
        told.setdefault(days, pattern)
    return list(told.values())


def _reads(pattern: str, cell: str) -> bool:
    try:
        day = _READERS[pattern].read(bare(cell), "day")
    except Unreadable:
        return False
    # Any eight digits would be a day of some century.
    return 1970 <= day.year <= 2100


def is_amount(cell: str) -> bool:
    """Whether the cell looks like money: a number with a sign, a symbol or a mark in it."""
    text = bare(cell)
    plain = _SYMBOLS.sub("", text).strip()
    if not re.search("[0-9]", plain) or not _AMOUNT.fullmatch(re.sub(r"^([-+(])\s*", r"\1", plain)):
        return False
    return not is_day(cell) and (len(plain) <= 9 or bool(re.search("[.,]", plain)))


def has_fraction(cell: str) -> bool:
    return bool(re.search("[.,][0-9]", cell))


def has_sign(cell: str) -> bool:
    return bool(re.search(r"[-+(\u2212]", cell))


def are_names(cells: Sequence[str], width: int) -> bool:
    """Whether the row may hold the names of that many columns."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) * 2 >= width and not any(is_day(cell) or is_amount(cell) for cell in filled)


def amount_settings(cells: Sequence[str]) -> tuple[dict[str, Any], bool]:
    """The settings by which all the cells read, and whether no others read them to other values."""
    symbols = sorted({symbol for cell in cells for symbol in _SYMBOLS.findall(cell)})
    told: dict[tuple[str, ...], tuple[str, str]] = {}
    for decimal, thousands in _SETTINGS:
        pattern = AmountPattern(decimal, thousands, symbols)
        try:
            values = tuple(str(pattern.read(bare(cell), "amount")) for cell in cells)
        except Unreadable:
            continue
        told.setdefault(values, (decimal, thousands))
    decimal, thousands = next(iter(told.values()), (".", ""))
    settings: dict[str, Any] = {"decimal": decimal}
    if thousands:
        settings["thousands"] = thousands
    elif len(told) == 1:
        # Smaller amounts need no such mark; the next file may.
        settings["thousands"] = "." if decimal == "," else ","
    return settings | ({"symbols": symbols} if symbols else {}), len(told) == 1
