"""One entry of an MT940 or MT942: field 61 with the fields 86 below it (formats.md §1)."""

import re
from decimal import Decimal
from itertools import chain

from .records import RAW_CHARS_MAX, ImportRefused, LineKind, ParsedLine, RejectedLine
from .swift import FIELD_CHARS_MAX, Field
from .swift_text import Narrative, identifies_line
from .swift_values import read_entry_line
from .values import Unreadable, read_currency

_is_iban = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}").fullmatch


class Entry:
    """An entry being read."""

    def __init__(self, field: Field, currency: str) -> None:
        self._field = field
        self._currency = currency
        self._texts: list[Field] = []
        self._chars_count = 0

    def add_text(self, field: Field) -> None:
        """Takes one field 86; an entry may have several."""
        self._texts.append(field)
        self._chars_count += sum(map(len, field.lines))
        if self._chars_count > FIELD_CHARS_MAX:
            sentence = f"the texts of line {self._field.line_no} do not end"
            raise ImportRefused("field_too_large", sentence)

    def line(self) -> ParsedLine | RejectedLine:
        """The line that the entry is, or why it is none."""
        try:
            return self._read()
        except Unreadable as problem:
            raw = "".join(chain(self._field.raw, *(text.raw for text in self._texts)))
            reason = str(problem)
            return RejectedLine(self._field.line_no, reason, raw.rstrip("\r\n")[:RAW_CHARS_MAX])

    def _read(self) -> ParsedLine:
        currency = read_currency(self._currency, "the statement's currency")
        entry = read_entry_line(self._field.first, currency)
        narrative = Narrative()
        narrative.add_id(entry.our_reference)
        narrative.add_id(entry.bank_reference)
        for text in self._texts:
            narrative.read(text.lines)
        narrative.add_text(" ".join(self._field.lines[1:]))
        is_own = identifies_line(entry.bank_reference)
        end_to_end_ids = list(narrative.end_to_end_ids)
        return ParsedLine(
            line_no=self._field.line_no,
            kind=LineKind.ENTRY,
            external_id=entry.bank_reference if is_own else "",
            booked_on=entry.booked_on,
            value_on=entry.value_on,
            currency=currency,
            gross=entry.net,
            fee=Decimal(0),
            net=entry.net,
            presentment_amount=None,
            presentment_currency="",
            reference=end_to_end_ids[0] if len(end_to_end_ids) == 1 else "",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty=narrative.counterparty,
            text=narrative.text,
            references=tuple(narrative.ids),
            is_reversal=entry.is_reversal,
        )


def account_of(text: str, currency: str) -> str:
    """The account of field 25 without spaces, and without the currency that some banks append.

    A currency may be part of an IBAN (Mauritius): the check digits tell.
    """
    account = "".join(text.split()).removeprefix("/")
    bare = account.removesuffix(currency)
    if bare != account and ((" " in text.strip()) or (not is_iban(account) and is_iban(bare))):
        return bare
    return account


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616)."""
    if not _is_iban(text):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1
