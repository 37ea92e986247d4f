"""One entry of an ISO 20022 bank statement, `Ntry`, with all its details (formats.md §2).

An entry is one line however many transactions it books: their ids and texts are gathered on it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from .records import NOT_BOOKED, LineKind, ParsedLine
from .values import Unreadable, read_currency, read_day, read_unsigned_amount
from .xml_stream import Fields, first, read_fields

# What banks write where an id is mandatory and there is none.
PLACEHOLDERS = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})

ENTRY_REFERENCES = (
    "NtryRef",
    "AcctSvcrRef",
    "NtryDtls/Btch/PmtInfId",
    "NtryDtls/Btch/MsgId",
    "AddtlInfInd/MsgId",
)
STRUCTURED_REFERENCES = ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb")
DETAIL_TEXTS = ("RmtInf/Ustrd", *STRUCTURED_REFERENCES, "RmtInf/Strd/AddtlRmtInf", "AddtlTxInf")

# An amount as the account moved by it. InstdAmt is what was asked for, not what was booked.
BOOKED_AMOUNTS = ("AmtDtls/CntrValAmt/Amt", "AmtDtls/TxAmt/Amt", "Amt")


class Entry:
    """An entry being read: first its details, one by one, then the entry itself."""

    def __init__(self, line_no: int, account_currency: str, statement_day: date | None) -> None:
        self.line_no = line_no
        self._account_currency = account_currency
        self._statement_day = statement_day
        self._details: Fields = {}
        self._details_count = 0
        # What the details say that the account moved by, by their own direction.
        self._booked: dict[str, Decimal] = {}
        self._booked_count = 0
        self._references: dict[str, None] = {}
        self._texts: dict[str, None] = {}
        self._end_to_end_ids: dict[str, None] = {}
        self._debtors: dict[str, None] = {}
        self._creditors: dict[str, None] = {}

    def add_details(self, element: Any, depth: int) -> None:
        """Takes from one `TxDtls` what the line will need, so that the element can be let go."""
        details: Fields = {}
        read_fields(element, "", depth, details)
        self._details_count += 1
        if self._details_count == 1:
            self._details = details
        self._add_booked(details)
        for path, texts in details.items():
            if path.startswith("Refs/") and not path.endswith("/Tp"):
                _remember(self._references, texts)
        _remember(self._end_to_end_ids, details.get("Refs/EndToEndId", ()))
        for path in STRUCTURED_REFERENCES:
            _remember(self._references, details.get(path, ()))
        self._add_texts(details, DETAIL_TEXTS)
        for code in details.get("RtrInf/Rsn/Cd", ()):
            self._texts[f"RTRN {code}"] = None  # as an MT940 says why a payment came back
        _remember(self._debtors, [_party(details, "Dbtr")])
        _remember(self._creditors, [_party(details, "Cdtr")])

    def line(self, element: Any, depth: int) -> ParsedLine:
        """The line that the entry is; `Unreadable` if it is none."""
        fields: Fields = {}
        read_fields(element, "", depth, fields)
        status = first(fields, "Sts/Cd", "Sts/Prtry", "Sts")
        if status.upper() not in ("", "BOOK"):
            raise Unreadable(NOT_BOOKED, f"status {status[:40]!r}")
        is_credit = _is_credit(fields)
        amount, currency, seen_amount, seen_currency = self._amounts(fields)
        net = amount if is_credit else -amount
        if seen_amount is not None and not is_credit:
            seen_amount = -seen_amount
        booked_on, value_on = self._days(fields)
        parties = self._debtors if is_credit else self._creditors
        self._add_texts(fields, ("AddtlNtryInf",))
        return ParsedLine(
            line_no=self.line_no,
            kind=LineKind.ENTRY,
            external_id=self._external_id(fields),
            booked_on=booked_on,
            value_on=value_on,
            currency=currency,
            gross=net,
            fee=Decimal(0),
            net=net,
            presentment_amount=seen_amount,
            presentment_currency=seen_currency,
            reference=_only(self._end_to_end_ids),
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty=_only(parties),
            text=" ".join(self._texts),
            references=tuple(self._entry_references(fields) | self._references),
            is_reversal=first(fields, "RvslInd").lower() in ("true", "1"),
        )

    def _amounts(self, fields: Fields) -> tuple[Decimal, str, Decimal | None, str]:
        """What the account moved by and what the payer saw, both unsigned, each with its currency.

        An entry in another currency than its account's moves the account by what its details, or
        itself, say was booked, if that is reported; else it stands as read, in its own currency.
        """
        amount, currency = _read_money(first(fields, "Amt"), first(fields, "Amt@Ccy"))
        details = self._details if self._details_count == 1 else {}
        if self._account_currency and currency != self._account_currency:
            booked = self._booked_amount(fields)
            if booked is not None:
                return booked, self._account_currency, amount, currency
        for said in (details, fields):
            asked = first(said, "AmtDtls/InstdAmt/Amt")
            asked_currency = first(said, "AmtDtls/InstdAmt/Amt@Ccy")
            if asked:
                if asked_currency.upper() == currency:
                    break
                return amount, currency, *_read_money(asked, asked_currency)
        return amount, currency, None, ""

    def _add_booked(self, details: Fields) -> None:
        try:
            amount = _in_currency(details, BOOKED_AMOUNTS, self._account_currency)
        except Unreadable:
            return
        if amount is not None:
            mark = first(details, "CdtDbtInd")
            self._booked[mark] = self._booked.get(mark, Decimal(0)) + amount
            self._booked_count += 1

    def _booked_amount(self, fields: Fields) -> Decimal | None:
        """The sum of the details if all of them tell theirs, else what the entry itself tells."""
        if self._booked_count and self._booked_count == self._details_count:
            mark = first(fields, "CdtDbtInd")
            total = sum((a if m in ("", mark) else -a for m, a in self._booked.items()), Decimal(0))
            return total if total >= 0 else None
        return _in_currency(fields, BOOKED_AMOUNTS[:2], self._account_currency)

    def _days(self, fields: Fields) -> tuple[date, date | None]:
        booked = first(fields, "BookgDt/Dt", "BookgDt/DtTm")
        value = first(fields, "ValDt/Dt", "ValDt/DtTm")
        value_on = read_day(value, "ValDt") if value else None
        booked_on = read_day(booked, "BookgDt") if booked else value_on or self._statement_day
        if booked_on is None:
            raise Unreadable("bad_date", "neither the entry nor its statement has a date")
        return booked_on, value_on

    def _external_id(self, fields: Fields) -> str:
        """The servicer's id of the entry, or of its only detail. `NtryRef` is none: it may count
        the entries of a statement or name a contract, and comes again in the next statement.
        """
        own = first(fields, "AcctSvcrRef")
        if self._details_count == 1 and own.upper() in ("", *PLACEHOLDERS):
            own = first(self._details, "Refs/AcctSvcrRef")
        return "" if own.upper() in PLACEHOLDERS else own

    def _entry_references(self, fields: Fields) -> dict[str, None]:
        found: dict[str, None] = {}
        for path in ENTRY_REFERENCES:
            _remember(found, fields.get(path, ()))
        return found

    def _add_texts(self, fields: Fields, paths: tuple[str, ...]) -> None:
        for path in paths:
            for text in fields.get(path, ()):
                if text:
                    self._texts[" ".join(text.split())] = None


def _is_credit(fields: Fields) -> bool:
    """`CdtDbtInd` is the direction of this very entry: a reversal mark does not turn it again."""
    mark = first(fields, "CdtDbtInd")
    if mark not in ("CRDT", "DBIT"):
        raise Unreadable("bad_direction", f"CdtDbtInd {mark[:40]!r} is neither CRDT nor DBIT")
    return mark == "CRDT"


def _in_currency(fields: Fields, paths: tuple[str, ...], currency: str) -> Decimal | None:
    """The first of these amounts that is in the currency."""
    for path in paths:
        if currency and first(fields, f"{path}@Ccy").upper() == currency:
            return _read_money(first(fields, path), currency)[0]
    return None


def _read_money(amount: str, currency: str) -> tuple[Decimal, str]:
    return read_unsigned_amount(amount, "Amt"), read_currency(currency, "Amt Ccy")


def _party(details: Fields, role: str) -> str:
    """The name of the debtor or creditor, else of whom it acts for, else of its bank (v08)."""
    return first(details, *_party_paths(role))


def _party_paths(role: str) -> Iterator[str]:
    for party in (role, f"Ultmt{role}"):
        yield f"RltdPties/{party}/Nm"
        yield f"RltdPties/{party}/Pty/Nm"
    yield f"RltdPties/{role}/Agt/FinInstnId/Nm"


def _only(texts: dict[str, None]) -> str:
    """The text, if all details agree on it."""
    return next(iter(texts)) if len(texts) == 1 else ""


def _remember(found: dict[str, None], texts: Any) -> None:
    for text in texts:
        if text and text.upper() not in PLACEHOLDERS:
            found[text] = None
