"""The frame of an ISO 20022 statement: account, period, balances, totals (formats.md §2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from .records import (
    RAW_CHARS_MAX,
    ImportRefused,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from .values import Unreadable, read_currency, read_day, read_unsigned_amount
from .xml_stream import Fields, first, local_name, read_fields

# Only booked balances prove a statement: available and expected ones do not, and interim ones only
# between the pages of one.
OPENINGS = ("OPBD", "PRCD")
CLOSINGS = ("CLBD",)
INTERIM = "ITBD"

TAKEN = frozenset(
    {"Id", "StmtPgntn", "RptPgntn", "NtfctnPgntn", "ElctrncSeqNb", "CreDtTm", "FrToDt", "Acct"}
    | {"TxsSummry"}
)
ACCOUNT_IDS = ("IBAN", "Othr/Id", "BBAN", "PrtryAcct/Id", "UPIC")


@dataclass(frozen=True, slots=True)
class Balance:
    code: str
    day: date | None
    currency: str
    amount: Decimal


class Statement:
    """A statement being read: takes each of its children but the entries, then tells its frame.

    `message` holds the fields of the message's own header, `depth` the place of the statement.
    """

    def __init__(self, message: Fields, depth: int) -> None:
        self.depth = depth
        self.rejected: list[RejectedLine] = []
        self._message = message
        self._fields: Fields = {}
        self._balances: list[Balance] = []
        self._is_opened = False

    def take(self, child: Any) -> None:
        """Reads a child of the statement; what is of no use is still checked for its depth."""
        name = local_name(child)
        fields: Fields = {}
        read_fields(child, name, self.depth + 1, fields)
        if name == "Bal":
            self._take_balance(fields, child)
        elif name in TAKEN:
            if name == "Acct" and self._is_opened:
                # The lines already handed out belong to an account that was not known then.
                raise ImportRefused("account_after_entries", "Acct stands below the entries")
            self._fields |= fields

    @property
    def currency(self) -> str:
        """The account's, else that of the balances seen so far, else unknown."""
        reported = first(self._fields, "Acct/Ccy").upper()
        return reported or next((balance.currency for balance in self._balances), "")

    @property
    def day(self) -> date | None:
        """The day of entries that report none: the statement's last, else that of its making."""
        made = self._day("CreDtTm") or _day_in(self._message, "GrpHdr/CreDtTm")
        return self._last_day() or made

    def open(self) -> Iterator[StatementHeader]:
        """The header, the first time."""
        if self._is_opened:
            return
        self._is_opened = True
        account = first(self._fields, *(f"Acct/Id/{path}" for path in ACCOUNT_IDS))
        yield StatementHeader(
            account="".join(account.split()),
            currency=self.currency,
            statement_id=first(self._fields, "Id"),
            sequence=first(self._fields, "ElctrncSeqNb") + self._page(),
            first_day=self._day("FrToDt/FrDtTm", "FrToDt/FrDt") or _day_of(self._balance("OPBD")),
            last_day=self._last_day(),
        )

    def trailer(self) -> StatementTrailer:
        """Balances as reported, signed; a statement that lists several days spans them all."""
        opening = next(filter(None, map(self._balance, OPENINGS)), None)
        closing = next(filter(None, (self._balance(code, last=True) for code in CLOSINGS)), None)
        if self._page():
            opening, closing = self._between_pages(opening, closing)
        count = self._declared("TxsSummry/TtlNtries/NbOfNtries")
        if count is not None and count % 1:
            self._reject("TxsSummry/TtlNtries/NbOfNtries", f"bad_amount: {count} entries")
            count = None
        return StatementTrailer(
            opening=opening.amount if opening else None,
            opening_on=_day_of(opening),
            closing=closing.amount if closing else None,
            closing_on=_day_of(closing),
            declared_count=int(count) if count is not None else None,
            declared_credit=self._declared("TxsSummry/TtlCdtNtries/Sum"),
            declared_debit=self._declared("TxsSummry/TtlDbtNtries/Sum"),
        )

    def _take_balance(self, fields: Fields, element: Any) -> None:
        code = first(fields, "Bal/Tp/CdOrPrtry/Cd", "Bal/Tp/CdOrPrtry/Prtry", "Bal/Tp/Cd")
        if code not in (*OPENINGS, *CLOSINGS, INTERIM):
            return
        try:
            self._balances.append(_read_balance(code, fields))
        except Unreadable as problem:
            self.rejected.append(RejectedLine(0, f"{problem} ({code} balance)", raw_of(element)))

    def _balance(self, code: str, last: bool = False) -> Balance | None:
        """The earliest or latest balance of this code, in the account's currency if one is."""
        found = [balance for balance in self._balances if balance.code == code]
        found = [balance for balance in found if balance.currency == self.currency] or found
        if not found:
            return None
        if last:
            return max(found, key=lambda balance: balance.day or date.min)
        return min(found, key=lambda balance: balance.day or date.min)

    def _between_pages(
        self, opening: Balance | None, closing: Balance | None
    ) -> tuple[Balance | None, Balance | None]:
        """Of a page, what it opens and closes with: an interim balance where another page is."""
        interim = [each for each in self._balances if each.code == INTERIM]
        is_told = opening is not None or closing is not None or len(interim) > 1
        if not interim or not is_told:
            return opening, closing
        return opening or interim[0], closing or interim[-1]

    def _last_day(self) -> date | None:
        reported = self._day("FrToDt/ToDtTm", "FrToDt/ToDt")
        return reported or _day_of(self._balance("CLBD", last=True))

    def _day(self, *paths: str) -> date | None:
        return _day_in(self._fields, *paths)

    def _declared(self, path: str) -> Decimal | None:
        text = first(self._fields, path)
        try:
            return read_unsigned_amount(text, path) if text else None
        except Unreadable as problem:
            self._reject(path, str(problem))
            return None

    def _reject(self, path: str, reason: str) -> None:
        self.rejected.append(RejectedLine(0, reason, f"{path}: {first(self._fields, path)}"))

    def _page(self) -> str:
        """ "/2" for the second page of a statement split over messages, "" for a whole one."""
        pages = ("StmtPgntn", "RptPgntn", "NtfctnPgntn")
        number = first(self._fields, *(f"{page}/PgNb" for page in pages))
        is_last = first(self._fields, *(f"{page}/LastPgInd" for page in pages))
        number = number or first(self._message, "GrpHdr/MsgPgntn/PgNb")
        is_last = is_last or first(self._message, "GrpHdr/MsgPgntn/LastPgInd")
        is_whole = not number or (number == "1" and is_last.lower() in ("true", "yes", "1"))
        return "" if is_whole else f"/{number}"


def raw_of(element: Any) -> str:
    """The element as text, for a rejected line."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return text[:RAW_CHARS_MAX]


def _read_balance(code: str, fields: Fields) -> Balance:
    """A balance without `CdtDbtInd` is a credit: one central bank's dialect leaves it out."""
    amount = read_unsigned_amount(first(fields, "Bal/Amt"), "Amt")
    mark = first(fields, "Bal/CdtDbtInd")
    if mark not in ("CRDT", "DBIT", ""):
        raise Unreadable("bad_direction", f"CdtDbtInd {mark[:40]!r} is neither CRDT nor DBIT")
    day = first(fields, "Bal/Dt/Dt", "Bal/Dt/DtTm")
    return Balance(
        code=code,
        day=read_day(day, "Dt") if day else None,
        currency=read_currency(first(fields, "Bal/Amt@Ccy"), "Amt Ccy"),
        amount=-amount if mark == "DBIT" else amount,
    )


def _day_in(fields: Fields, *paths: str) -> date | None:
    """A day of the frame; an unreadable one counts as not reported."""
    text = first(fields, *paths)
    try:
        return read_day(text, "date") if text else None
    except Unreadable:
        return None


def _day_of(balance: Balance | None) -> date | None:
    return balance.day if balance else None
