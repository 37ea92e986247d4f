"""A first CSV mapping for a file, and what the file alone cannot tell: a proposal, never applied.

Looks at the first rows only; what is proposed is then read by the importer itself to be counted.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from .csv_columns import (
    ACCOUNT_NAMES,
    BALANCE_NAMES,
    BOOKED_NAMES,
    COUNTERPARTY_NAMES,
    CREDIT_NAMES,
    DEBIT_NAMES,
    ID_NAMES,
    MARKS,
    VALUE_NAMES,
    amount_settings,
    are_names,
    currency_of_name,
    day_patterns,
    has_fraction,
    has_sign,
    is_amount,
    is_day,
    mentions,
)
from .csv_table import DELIMITERS, encoding_of, open_text
from .csv_values import DayPattern, bare
from .records import ImportRefused

LINES_MAX = 2_000
LINE_CHARS_MAX = 10_000
UNKNOWN_CURRENCY = "XXX"
_is_currency = re.compile(r"[A-Z]{3}").fullmatch
_is_iban = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}").fullmatch


@dataclass
class Proposal:
    """A mapping as plain data and, one sentence each, what somebody has to decide."""

    mapping: dict[str, Any] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)


def propose(file: BinaryIO) -> Proposal:
    """A mapping for the file. Refuses what is no text or has no rows with a day and an amount."""
    encoding = encoding_of(file)
    with open_text(file, encoding) as text:
        lines = [line[:LINE_CHARS_MAX] for line in itertools.islice(text, LINES_MAX)]
    proposal = Proposal()
    if encoding == "cp1252":
        proposal.mapping["encoding"] = encoding
        proposal.questions.append(
            "encoding: not UTF-8; cp1252 (western) is assumed, are the names right?"
        )
    delimiter, rows = _rows(lines)
    proposal.mapping["delimiter"] = delimiter
    _Detection(rows, proposal).run()
    return proposal


def _rows(lines: Sequence[str]) -> tuple[str, list[list[str]]]:
    """The delimiter that cuts most lines into most cells of the same number, and its rows."""
    best: tuple[int, str, list[list[str]]] = (0, ",", [])
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
        except csv.Error:
            continue
        dated = [row for row in rows if len(row) > 1 and any(is_day(cell) for cell in row)]
        if dated and len(dated) * len(dated[0]) > best[0]:
            best = len(dated) * len(dated[0]), delimiter, rows
    if not best[2]:
        raise ImportRefused("no_rows", "no row has a cell that is a day")
    return best[1], best[2]


class _Detection:
    """What each column of the rows seems to be."""

    def __init__(self, rows: list[list[str]], proposal: Proposal) -> None:
        self._proposal = proposal
        data = [any(map(is_day, row)) and any(map(is_amount, row)) for row in rows]
        if True not in data:
            raise ImportRefused("no_rows", "no row has both a day and an amount")
        start = data.index(True)
        width = max(len(row) for row, is_data in zip(rows, data, strict=True) if is_data)
        above = (at for at in range(start - 1, -1, -1) if are_names(rows[at], width))
        names_at = next(above, None)
        if names_at is None:
            proposal.mapping |= {"header": False} | ({"skip_lines": start} if start else {})
        names = [] if names_at is None else rows[names_at]
        self._names = [*names, *[""] * (width - len(names))]
        first = start if names_at is None else names_at + 1
        self._rows = [[*row, *[""] * (width - len(row))] for row in rows[first:]]
        self._data = [row for row in self._rows if any(map(is_day, row))]
        self._free = list(range(width))
        self._columns: dict[str, Any] = {}
        self._amounts: list[int] = []

    def run(self) -> None:
        mapping, columns = self._proposal.mapping, self._columns
        self._find_days()
        amounts = [at for at in self._free if self._most(at, is_amount)]
        # Beside columns with fractions, one of whole numbers counts or names something.
        balances = [at for at in amounts if mentions(self._name(at), BALANCE_NAMES)]
        others = [at for at in amounts if at not in balances]
        fractions = [at for at in others if any(map(has_fraction, self._cells(at)))]
        amounts = balances + (fractions or others)
        self._find_direction()
        self._find_amounts([at for at in amounts if at in self._free])
        self._find_currency()
        self._find_account()
        for key, words in (("external_id", ID_NAMES), ("counterparty", COUNTERPARTY_NAMES)):
            found = [at for at in self._free if mentions(self._name(at), words)]
            found = [at for at in found if key != "external_id" or self._is_unique(at)]
            if found:
                self._take(key, found[0])
        texts = [
            at for at in self._free if any(re.search(r"[^\W\d]{3}", c) for c in self._cells(at))
        ]
        if texts:
            columns["text"] = [self._column(at) for at in texts]
        mapping["columns"] = columns

    def _find_days(self) -> None:
        found = [at for at in self._free if self._most(at, is_day)]
        named = [at for at in found if mentions(self._name(at), BOOKED_NAMES)]
        others = [at for at in found if not mentions(self._name(at), VALUE_NAMES)]
        booked = named or others or found
        if not booked:
            raise ImportRefused("no_rows", "no column holds days")
        days = [cell for cell in self._cells(booked[0]) if is_day(cell)]
        patterns = day_patterns(days)
        self._proposal.mapping["date_format"] = patterns[0]
        if len(patterns) > 1:
            self._ask(f"date_format: {' or '.join(patterns)}? Every day of the file reads as each")
        self._take("booked_on", booked[0])
        others = [at for at in found if at != booked[0]]
        if others:
            value = [at for at in others if mentions(self._name(at), VALUE_NAMES)] or others
            self._take("value_on", value[0])
            of_value = day_patterns([cell for cell in self._cells(value[0]) if is_day(cell)])
            if patterns[0] not in of_value:
                self._proposal.mapping["value_date_format"] = of_value[0]
        reader = DayPattern(patterns[0])
        first, last = (reader.read(bare(days[at]), "day") for at in (0, -1))
        if first > last:
            self._proposal.mapping["order"] = "newest_first"
        self._ask_about_rows_without_day(booked[0])

    def _ask_about_rows_without_day(self, at: int) -> None:
        rest = [row[at].strip() for row in self._rows if not is_day(row[at])]
        if "" in rest:
            count = rest.count("")
            self._ask(f"continues, skip: {count} rows have no day in {self._column(at)!r}")
        for word in sorted(set(rest) - {""}):
            self._ask(f"pending, skip, stop_at: what are rows with {word[:40]!r} for a day?")

    def _find_direction(self) -> None:
        for at in self._free:
            words = {row[at].strip() for row in self._data}
            folded = {word.casefold() for word in words}
            for credit, debit in MARKS:
                pair = {credit.casefold(), debit.casefold()}
                told = folded & pair
                # One of the two may be told by nothing.
                if told and folded <= pair | ({""} if len(told) == 1 else set()):
                    is_blank = "" in folded
                    self._proposal.mapping["direction"] = {
                        "column": self._column(at),
                        "credit": ["" if is_blank and credit.casefold() not in told else credit],
                        "debit": ["" if is_blank and debit.casefold() not in told else debit],
                    }
                    self._free.remove(at)
                    return

    def _find_amounts(self, found: list[int]) -> None:
        mapping = self._proposal.mapping
        balances = [at for at in found if mentions(self._name(at), BALANCE_NAMES)]
        credits = [at for at in found if mentions(self._name(at), CREDIT_NAMES)]
        debits = [at for at in found if mentions(self._name(at), DEBIT_NAMES)]
        rest = [at for at in found if at not in balances]
        alternating = next(
            (pair for pair in itertools.combinations(rest, 2) if self._alternate(*pair)), None
        )
        signed = [at for at in rest if self._is_signed(at)]
        if credits and debits and (total := self._repeating(signed, [*credits, *debits])):
            used = [self._take("amount", total[0])]
        elif credits and debits and "direction" not in mapping:
            used = [self._take("credit", credits[0]), self._take("debit", debits[0])]
        elif alternating and "direction" not in mapping:
            used = [self._take("debit", alternating[0]), self._take("credit", alternating[1])]
            self._ask("columns.debit, columns.credit: which of the two is which?")
        elif rest:
            used = [self._take("amount", (signed or rest)[0])]
            if len(rest) > 1:
                named = ", ".join(repr(self._column(at)) for at in rest)
                self._ask(f"columns.amount: which of {named} is the amount?")
        else:
            raise ImportRefused("no_rows", "no column holds amounts")
        if balances:
            used.append(self._take("balance", balances[0]))
        self._amounts = used
        cells = [cell for at in used for cell in self._cells(at) if is_amount(cell)]
        settings, is_certain = amount_settings(cells)
        mapping |= settings
        if not is_certain:
            self._ask("decimal, thousands: no amount of the file tells them apart")
        if (
            not any(map(has_sign, cells))
            and "amount" in self._columns
            and "direction" not in mapping
        ):
            self._ask("direction: every amount is without a sign; what tells credit from debit?")

    def _find_currency(self) -> None:
        for at in self._free:
            cells = self._cells(at)
            if len(cells) == len(self._data) and all(map(_is_currency, cells)):
                self._take("currency", at)
                return
        named = {currency_of_name(self._name(at)) for at in self._amounts} - {""}
        if len(named) == 1:
            self._proposal.mapping["currency"] = named.pop()
            return
        self._proposal.mapping["currency"] = UNKNOWN_CURRENCY
        self._ask("currency: no column tells it")

    def _find_account(self) -> None:
        for at in self._free:
            cells = ["".join(cell.split()) for cell in self._cells(at)]
            name = self._name(at)
            is_named = mentions(name, ACCOUNT_NAMES) and not mentions(name, COUNTERPARTY_NAMES)
            if len(cells) == len(self._data) and (
                (len(set(cells)) == 1 and (is_named or _is_iban(cells[0])))
                or (is_named and all(map(_is_iban, cells)))
            ):
                self._take("account", at)
                return
        self._ask("account: no column tells whose account it is; name it, or the label it has")

    def _alternate(self, one: int, other: int) -> bool:
        return all(bool(row[one].strip()) != bool(row[other].strip()) for row in self._data)

    def _most(self, at: int, test: Any) -> bool:
        cells = self._cells(at)
        return bool(cells) and sum(map(test, cells)) * 10 >= len(cells) * 8

    def _is_signed(self, at: int) -> bool:
        """Whether each row has an amount there, and some are negative."""
        cells = self._cells(at)
        return len(cells) == len(self._data) and any(map(has_sign, cells))

    def _repeating(self, signed: list[int], parts: list[int]) -> list[int]:
        """Those that say again what the columns of credits and debits say."""
        return [
            at
            for at in signed
            if at not in parts
            and all(row[at].strip() in {row[part].strip() for part in parts} for row in self._data)
        ]

    def _is_unique(self, at: int) -> bool:
        cells = self._cells(at)
        return len(cells) == len(self._data) == len(set(cells))

    def _cells(self, at: int) -> list[str]:
        return [text for row in self._data if (text := row[at].strip())]

    def _name(self, at: int) -> str:
        return self._names[at]

    def _column(self, at: int) -> str | int:
        name = " ".join(self._name(at).split())
        same = Counter(" ".join(each.split()).casefold() for each in self._names)
        return name if name and same[name.casefold()] == 1 else at + 1

    def _take(self, key: str, at: int) -> int:
        self._columns[key] = self._column(at)
        self._free.remove(at)
        return at

    def _ask(self, question: str) -> None:
        self._proposal.questions.append(question)
