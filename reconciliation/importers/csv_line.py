"""One row of a mapped CSV file as a line: which cell says what, and by which sign."""

from collections.abc import Mapping
from decimal import Decimal

from .csv_mapping import Column, Condition, CsvMapping, Marks
from .csv_table import key_of
from .csv_values import bare
from .records import LineKind, ParsedLine
from .values import Unreadable, read_currency

ABSENT = -1
_NO_MARKS = Marks(None, {})


class LineReader:
    """Reads rows whose columns stand as `places` says: by name, or none for a file without names.

    Every row has one empty cell more than the file has columns: an absent column points there.
    """

    def __init__(self, mapping: CsvMapping, places: Mapping[str, int]) -> None:
        self._mapping = mapping
        self._names = places
        self._places = {
            key: [self._place(column) for column in columns]
            for key, columns in mapping.columns.items()
        }
        self._direction_at = self._place(mapping.direction.column) if mapping.direction else ABSENT
        self._kind_at = self._place(mapping.kinds.column) if mapping.kinds else ABSENT
        self._text_at = self._places.get("text", [])
        self._reference_at = self._places.get("references", [])
        self._amount_at = [
            self._at(key) for key in ("amount", "credit", "debit") if key in mapping.columns
        ]

    def meets(self, conditions: tuple[Condition, ...], cells: list[str]) -> bool:
        """Whether any of the conditions holds for the row."""
        for condition in conditions:
            text = cells[self._place(condition.column)].strip().casefold()
            if text in condition.values or text.startswith(condition.prefixes):
                return True
        return False

    def continue_text(self, cells: list[str], more: list[str]) -> None:
        """Adds the text of a row that continues the one of `cells`. `Unreadable` if it has more."""
        if any(more[place].strip() for place in self._amount_at):
            raise Unreadable("bad_row", "continues the row above and has an amount of its own")
        for place in self._text_at:
            cells[place] = f"{cells[place]} {more[place]}"

    def key(self, cells: list[str]) -> tuple[str, str]:
        """The account, spaces removed, and the currency of the row, "" where it tells none."""
        account = "".join(bare(cells[self._at("account")]).split())
        currency = bare(cells[self._at("currency")]).upper()
        return account, self._mapping.currency_names.get(currency, currency)

    def balance(self, cells: list[str]) -> Decimal | None:
        """The running balance printed in the row, None if none is."""
        text = bare(cells[self._at("balance")])
        return self.read_signed(text, "balance") if text else None

    def read_signed(self, text: str, name: str) -> Decimal:
        """An amount whose sign is printed with it, as a sign or as a direction mark."""
        text, mark = _split_mark(text, self._mapping.direction or _NO_MARKS)
        value, sign = self._mapping.amounts.read(text, name)
        if mark:
            sign = self._combined(sign, mark, name)
        value = -value if sign < 0 else value
        return -value if self._mapping.inverted else value

    def line(self, line_no: int, cells: list[str], currency: str) -> ParsedLine:
        """The line in `currency` that the row is; `Unreadable` if it is none."""
        gross = self._gross(cells)
        fee, net = self._fee_and_net(cells, gross)
        seen_amount, seen_currency = self._foreign(cells, gross)
        value_day = self._cell(cells, "value_on")
        return ParsedLine(
            line_no=line_no,
            kind=self._kind(cells),
            external_id=self._cell(cells, "external_id"),
            booked_on=self._mapping.booked_days.read(self._cell(cells, "booked_on"), "booked_on"),
            value_on=self._mapping.value_days.read(value_day, "value_on") if value_day else None,
            currency=currency,
            gross=gross,
            fee=fee,
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=self._cell(cells, "reference"),
            parent_reference=self._cell(cells, "parent_reference"),
            payout_id=self._cell(cells, "payout_id"),
            merchant=self._cell(cells, "merchant"),
            counterparty=self._counterparty(cells, net),
            text=" ".join(" ".join(cells[place] for place in self._text_at).split()),
            references=tuple(
                {text: None for place in self._reference_at if (text := bare(cells[place]))}
            ),
        )

    def _place(self, column: Column | None) -> int:
        if column is None:
            return ABSENT
        return column - 1 if isinstance(column, int) else self._names[key_of(column)]

    def _at(self, key: str) -> int:
        return self._places.get(key, [ABSENT])[0]

    def _cell(self, cells: list[str], key: str) -> str:
        return bare(cells[self._at(key)])

    def _gross(self, cells: list[str]) -> Decimal:
        if "amount" not in self._places:
            value = self._of_two_columns(cells)
        elif self._mapping.direction is None:
            return self.read_signed(self._cell(cells, "amount"), "amount")
        else:
            value = self._marked(cells, self._mapping.direction)
        return -value if self._mapping.inverted else value

    def _of_two_columns(self, cells: list[str]) -> Decimal:
        found = []
        for key, mark in (("credit", 1), ("debit", -1)):
            text = self._cell(cells, key)
            if text:
                value, sign = self._mapping.amounts.read(text, key)
                found.append(self._combined(sign, mark, key) * value if value else Decimal(0))
        moved = [value for value in found if value] or found[:1]
        if len(moved) != 1:
            which = "both credit and debit have" if moved else "neither credit nor debit has"
            raise Unreadable("bad_amount", f"{which} an amount")
        return moved[0]

    def _marked(self, cells: list[str], direction: Marks) -> Decimal:
        text = self._cell(cells, "amount")
        if direction.column is None:
            text, mark = _split_mark(text, direction)
            mark = mark or direction.meanings.get("", 0)
            word = "beside the amount"
        else:
            word = cells[self._direction_at].strip()
            mark = direction.meanings.get(word.casefold(), 0)
        if not mark:
            raise Unreadable("bad_direction", f"{word[:40]!r} is neither credit nor debit")
        value, sign = self._mapping.amounts.read(text, "amount")
        return self._combined(sign, mark, "amount") * value if value else value

    def _combined(self, sign: int, mark: int, name: str) -> int:
        """1 or -1 out of the sign of an amount, 0 if it has none, and what marks its direction."""
        if self._mapping.sign == "multiplies":
            return mark * (sign or 1)
        if self._mapping.sign == "agrees" and sign not in (0, mark):
            raise Unreadable("bad_direction", f"the sign of {name} contradicts its direction")
        return mark

    def _fee_and_net(self, cells: list[str], gross: Decimal) -> tuple[Decimal, Decimal]:
        net_text = self._cell(cells, "net")
        net = self.read_signed(net_text, "net") if net_text else None
        fee_text = self._cell(cells, "fee")
        if not fee_text:
            fee = gross - net if net is not None else Decimal(0)
            return fee, gross - fee
        fee, sign = self._mapping.amounts.read(fee_text, "fee")
        fee = -fee if (sign < 0) != self._mapping.fee_inverted else fee
        if net is not None and gross - fee != net:
            raise Unreadable("bad_sum", f"amount {gross} - fee {fee} is not net {net}")
        return fee, gross - fee

    def _foreign(self, cells: list[str], gross: Decimal) -> tuple[Decimal | None, str]:
        """What the payer saw, with the sign of what the account moved by."""
        text, currency = self._cell(cells, "foreign_amount"), self._cell(cells, "foreign_currency")
        if not text or not currency:
            return None, ""
        value, _ = self._mapping.amounts.read(text, "foreign_amount")
        currency = self._mapping.currency_names.get(currency.upper(), currency)
        return -value if gross < 0 else value, read_currency(currency, "foreign_currency")

    def _kind(self, cells: list[str]) -> str:
        if self._mapping.kinds is None:
            return LineKind.ENTRY
        word = cells[self._kind_at].strip()
        kind: str | None = self._mapping.kinds.meanings.get(word.casefold())
        if kind is None:
            raise Unreadable("bad_kind", f"{word[:40]!r} is none of the kinds of this mapping")
        return kind

    def _counterparty(self, cells: list[str], net: Decimal) -> str:
        other = "payer" if net >= 0 else "payee"
        named = cells[self._at("counterparty")].strip() or cells[self._at(other)].strip()
        return " ".join(named.split())


def _split_mark(text: str, marks: Marks) -> tuple[str, int]:
    """The amount without the direction mark beside it, and what the mark means, 0 for none."""
    for word in sorted(filter(None, marks.meanings), key=len, reverse=True):
        before, after = text[: -len(word)], text[len(word) :]
        # A mark within a longer word, as in USD, is none.
        if text[-len(word) :].casefold() == word and not before[-1:].isalpha():
            return before.strip(), marks.meanings[word]
        if text[: len(word)].casefold() == word and not after[:1].isalpha():
            return after.strip(), marks.meanings[word]
    return text, 0
