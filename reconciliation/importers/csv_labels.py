"""What a CSV file says around its rows, beside labels: account, period, balances, totals."""

from collections.abc import Generator, Iterator, Mapping
from datetime import date
from decimal import Decimal

from .csv_line import LineReader
from .csv_values import DayPattern, bare
from .records import RejectedLine, StatementTrailer
from .values import Unreadable

BALANCES = frozenset({"opening", "closing", "count", "credit", "debit"})


class Labels:
    """Finds the texts that stand in the cell of a label, behind it, or in the next filled cell."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._found: dict[str, str] = {}

    def take(self, cells: list[str]) -> None:
        """Looks for the labels in a row outside the lines; the first place of each counts."""
        for key, label in self._labels.items():
            for place, cell in enumerate(cells):
                if not cell.strip().casefold().startswith(label):
                    continue
                behind = [cell.strip()[len(label) :].strip(" :"), *map(bare, cells[place + 1 :])]
                text = next(filter(None, behind), "")
                if text:
                    self._found.setdefault(key, text)
                break

    @property
    def account(self) -> str:
        return "".join(self._found.get("account", "").split())

    @property
    def currency(self) -> str:
        return self._found.get("currency", "").upper()

    @property
    def has_balances(self) -> bool:
        return bool(BALANCES & set(self._found))

    def day(self, key: str, days: DayPattern) -> date | None:
        """A day of the frame; an unreadable one counts as not reported."""
        try:
            return days.read(self._found[key], key) if key in self._found else None
        except Unreadable:
            return None

    def close(
        self, reader: LineReader, opening: Decimal | None, closing: Decimal | None
    ) -> Iterator[RejectedLine | StatementTrailer]:
        """The trailer; `opening` and `closing` are the ends of the running balance, if any.

        A label that contradicts them or cannot be read is handed out as rejected before it.
        """
        told: dict[str, Decimal | None] = {}
        for key, printed in (("opening", opening), ("closing", closing)):
            value = yield from self._amount(reader, key)
            if None not in (value, printed) and value != printed:
                sentence = f"broken_balance: {key} {value}, by the balance of the rows {printed}"
                yield RejectedLine(0, sentence, self._found[key])
            told[key] = printed if value is None else value
        for key in ("credit", "debit"):
            value = yield from self._amount(reader, key)
            told[key] = None if value is None else abs(value)
        count = self._found.get("count", "")
        if count and not (count.isascii() and count.isdecimal() and len(count) <= 18):
            yield RejectedLine(0, f"bad_count: {count[:40]!r} is no number of lines", count)
            count = ""
        yield StatementTrailer(
            opening=told["opening"],
            closing=told["closing"],
            declared_count=int(count) if count else None,
            declared_credit=told["credit"],
            declared_debit=told["debit"],
        )

    def _amount(
        self, reader: LineReader, key: str
    ) -> Generator[RejectedLine, None, Decimal | None]:
        text = self._found.get(key, "")
        if not text:
            return None
        try:
            return reader.read_signed(text, key)
        except Unreadable as problem:
            yield RejectedLine(0, str(problem), text)
            return None
