"""One transaction of an OFX statement as a line (OFX 2.2 §11.4; formats.md §4)."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from .records import NOT_BOOKED, RAW_CHARS_MAX, ImportRefused, LineKind, ParsedLine, RejectedLine
from .values import Unreadable, read_amount, read_currency

ENTRY_CHARS_MAX = 1 << 18

_is_day = re.compile(r"([0-9]{8})(?:[0-9]{2}){0,3}(?:[^0-9].*)?", re.DOTALL).fullmatch
_amount_parts = re.compile(r"([+-]?)0*([0-9.,]*)").fullmatch
_has_commas = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]*").fullmatch
_has_points = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*").fullmatch

# Ids of any party to the transaction, besides the FITID.
ID_FIELDS = ("REFNUM", "CHECKNUM", "SRVRTID", "BANKACCTTO.ACCTID", "CCACCTTO.ACCTID")


def read_ofx_amount(text: str, name: str) -> Decimal:
    """The signed amount. The decimal mark is a point or a comma and there is none between
    thousands (OFX 2.2 §3.2.9.1); where both stand, which is which shows.
    """
    found = _amount_parts(text)
    if found is None:
        raise Unreadable("bad_amount", f"{name} {text[:40]!r} is not a decimal number")
    sign, number = found.groups()
    if _has_commas(number):
        number = number.replace(",", "")
    elif _has_points(number):
        number = number.replace(".", "").replace(",", ".")
    elif number.count(",") == 1 and "." not in number:
        number = number.replace(",", ".")
    if not number and "0" in text:
        number = "0"
    return read_amount(sign + number, name)


@lru_cache(maxsize=4096)
def read_ofx_day(text: str, name: str) -> date:
    """The day as printed; banks mean the local one, whatever the offset (formats.md §4)."""
    found = _is_day(text)
    if found is not None:
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
        except ValueError:
            pass  # the 30th of February
    raise Unreadable("bad_date", f"{name} {text[:40]!r} does not begin with a day YYYYMMDD")


class Entry:
    """A transaction being read: its fields by name, those of inner aggregates by `OUTER.NAME`."""

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind  # STMTTRN, or the name of an aggregate that is no booked transaction
        self.is_closed = False
        self._fields: dict[str, list[str]] = {}
        self._stray = ""
        self._chars = 0

    def add(self, name: str, value: str) -> None:
        self._chars += len(name) + len(value)
        if self._chars > ENTRY_CHARS_MAX:
            raise ImportRefused("element_too_large", f"a {self.kind} of {ENTRY_CHARS_MAX} chars")
        self._fields.setdefault(name, []).append(value)

    def add_stray(self, text: str) -> None:
        """A text that stands in no element: whose end it is cannot be told."""
        self._stray = self._stray or text.strip()

    def record(self, currency: str) -> ParsedLine | RejectedLine:
        """The line, or why there is none; `currency` is the statement's, "" if it tells none."""
        try:
            return self._line(currency)
        except Unreadable as problem:
            return self._reject(str(problem))

    def _reject(self, reason: str) -> RejectedLine:
        raw = "".join(f"<{name}>{value}" for name, all_ in self._fields.items() for value in all_)
        return RejectedLine(self.number, reason, f"<{self.kind}>{raw}"[:RAW_CHARS_MAX])

    def _line(self, statement_currency: str) -> ParsedLine:
        self._check()
        net = read_ofx_amount(self._only("TRNAMT"), "TRNAMT")
        available = self._only("DTAVAIL") or self._only("VALUEDATE")
        names = self._fields.get("NAME") or self._fields.get("PAYEE.NAME", [])
        names = names or self._fields.get("PAYEE", [])
        return ParsedLine(
            line_no=self.number,
            kind=LineKind.ENTRY,
            external_id=self._only("FITID"),
            booked_on=read_ofx_day(self._only("DTPOSTED"), "DTPOSTED"),
            value_on=read_ofx_day(available, "DTAVAIL") if available else None,
            currency=self._currency(statement_currency),
            gross=net,
            fee=Decimal(0),
            net=net,
            presentment_amount=None,
            presentment_currency="",
            reference="",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty=" ".join(names),
            text=self._text(names),
            references=tuple(
                {
                    value: None
                    for name in ID_FIELDS
                    for value in self._fields.get(name, ())
                    if value.strip("0")
                }
            ),
        )

    def _check(self) -> None:
        if self.kind == "STMTTRNP":
            raise Unreadable(NOT_BOOKED, "the bank reports it as pending")
        if self.kind != "STMTTRN":
            raise Unreadable("investment", f"a {self.kind} moves securities; give it by hand")
        if not self.is_closed or self._stray:
            where = "is not closed" if not self.is_closed else f"holds {self._stray[:40]!r} loose"
            raise Unreadable("bad_row", f"the transaction {where}")
        if corrected := self._only("CORRECTFITID"):
            action = self._only("CORRECTACTION") or "change"
            raise Unreadable("correction", f"{action} of transaction {corrected[:60]}: do it there")

    def _only(self, name: str) -> str:
        values = set(self._fields.get(name, ()))
        if len(values) > 1:
            raise Unreadable("bad_row", f"{name} stands twice")
        return values.pop() if values else ""

    def _currency(self, statement_currency: str) -> str:
        """Amounts are in the statement's currency unless CURRENCY names another (§5.2). "" if
        neither is told, as by some banks: the account's.
        """
        named = self._only("CURRENCY.CURSYM")
        if not statement_currency and not named:
            return ""
        currency = read_currency(statement_currency or named, "CURDEF")
        if named and read_currency(named, "CURSYM") != currency:
            raise Unreadable("foreign_currency", f"TRNAMT is in {named}, the account in {currency}")
        return currency

    def _text(self, names: list[str]) -> str:
        memos = self._fields.get("MEMO", []) + self._fields.get("EXTDNAME", [])
        # A name is cut at 32 characters; the memo often says it again, whole.
        said = [name for name in names if not any(memo.startswith(name) for memo in memos)]
        return " ".join(dict.fromkeys(said + memos))
