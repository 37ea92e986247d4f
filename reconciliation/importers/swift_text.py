"""What banks write about an entry in fields 61 and 86: ids, name, remittance (formats.md §1).

Three dialects: German subfields (`166?00…?20EREF+…?32name`), Dutch keys (`/EREF/…/REMI/…`), and
free text; the keys of SEPA, `EREF+`, may stand in any of them.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

# Said in place of an id, some to point at the one in field 86.
PLACEHOLDERS = frozenset(
    {"NONREF", "NOTPROVIDED", "NOT PROVIDED", "NONE", "EREF", "KREF", "MREF", "PREF", "MARF"}
)
# A line this long was broken because it was full, amid a word as a rule; some banks count the tag.
FULL_LINE_CHARS = 65
FULL_SUBFIELD_CHARS = 27
SEPA_ID_CHARS_MAX = 35

_german = re.compile(r" ?[0-9]{3}([?>^~<|$@!])(?=[0-9]{2})").match
_BOOKING_TEXT = "00"
_REMITTANCE = frozenset({*map(str, range(20, 30)), *map(str, range(60, 64))})
_NAME = ("32", "33")
# The bank's own journal number; bank, account and IBAN of the other party; the type's extension.
_CODES = frozenset({"10", "30", "31", "34", "38"})

_SEPA_IDS = frozenset({"EREF", "KREF", "MREF", "BREF", "RREF"})
_sepa_keys = re.compile(
    r"(EREF|KREF|MREF|BREF|RREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|IBAN|BIC)(?:\+|: )"
).finditer

_is_dutch = re.compile(r"\s*/[A-Z]{2,4}/").match
_DUTCH_IDS = frozenset({"EREF", "KREF", "PREF", "IREF", "CREF", "MARF"})
_dutch_keys = re.compile(
    r"/(EREF|KREF|PREF|IREF|CREF|MARF|CSID|CNTP|REMI|NAME|ADDR|IBAN|BIC|TRTP|TRCD|BENM|ORDP|ULTB"
    r"|ULTC|ULTD|ID|ISDT|RTRN|OCMT|CHGS|EXCH|PURP|SVCL|UREF)(?=/)"
).split
_remittance_kind = re.compile(r"/*USTD/+|/*STRD/+CUR/+").match


class Narrative:
    """What is said about one entry, gathered from all its fields; nothing twice."""

    def __init__(self) -> None:
        self.end_to_end_ids: dict[str, None] = {}
        self.ids: dict[str, None] = {}
        self.names: dict[str, None] = {}
        self._texts: dict[str, None] = {}

    @property
    def text(self) -> str:
        return " ".join(self._texts)

    @property
    def counterparty(self) -> str:
        """The first name said: that of the party itself, before any for whom it acts."""
        return next(iter(self.names), "")

    def add_id(self, text: str) -> None:
        """An id, unless it is a placeholder."""
        if is_id(text):
            self.ids[text.strip()] = None

    def add_text(self, text: str) -> None:
        _remember(self._texts, text)

    def read(self, lines: list[str]) -> None:
        """Takes one field 86, in whatever dialect it is."""
        joined = "".join(lines)
        german = _german(joined)
        if german is not None:
            self._read_german(joined[german.end() - 1 :], german[1])
        elif _is_dutch(joined):
            self._read_dutch(joined)
        else:
            self._read_remittance(join_lines(lines))

    def _read_german(self, text: str, separator: str) -> None:
        """Pieces of 27 characters: a word, a key or an id may go on in the next one."""
        pieces = re.split(re.escape(separator) + "([0-9]{2})", text)
        subfields = list(zip(pieces[1::2], pieces[2::2], strict=True))
        remittance = [said for code, said in subfields if code in _REMITTANCE]
        ends = accumulate(map(len, remittance))
        breaks = [
            end
            for end, piece in zip(ends, remittance, strict=True)
            if len(piece) < FULL_SUBFIELD_CHARS
        ]
        self._read_remittance("".join(remittance), breaks)
        _remember(self.names, "".join(said for code, said in subfields if code in _NAME))
        for code, said in subfields:
            if code not in _REMITTANCE and code not in _NAME and code not in _CODES:
                self.add_text(said)

    def _read_remittance(self, text: str, breaks: Sequence[int] = ()) -> None:
        """`breaks` are the places where a piece ended before it was full."""
        marks = list(_sepa_keys(text))
        ends = [*(mark.start() for mark in marks), len(text)]
        self.add_text(text[: ends[0]])
        for mark, end in zip(marks, ends[1:], strict=True):
            value = text[mark.end() : end]
            if mark[1] in _SEPA_IDS:
                place = next((at for at in breaks if mark.end() < at < end), 0) - mark.end()
                self._add_sepa_id(value, place, is_end_to_end=mark[1] == "EREF")
            else:
                self.add_text(value if mark[1] == "SVWZ" else mark[0] + value)

    def _read_dutch(self, text: str) -> None:
        before, *pairs = _dutch_keys(text)
        self.add_text(before)
        for key, slashed in zip(pairs[::2], pairs[1::2], strict=True):
            value = slashed.strip("/ ")
            if key in _DUTCH_IDS:
                self._add_sepa_id(value, is_end_to_end=key == "EREF")
            elif key == "NAME":
                _remember(self.names, value)
            elif key == "CNTP":
                # Account, bank, name and town of the other party.
                parts = [*slashed[1:].split("/"), "", ""]
                _remember(self.names, parts[2])
            elif key == "REMI":
                self._read_dutch_remittance(value)
            elif value:
                self.add_text(f"{key} {value}")

    def _read_dutch_remittance(self, value: str) -> None:
        kind = _remittance_kind(value)
        said = value[kind.end() :] if kind else value
        if kind and "STRD" in kind[0]:
            self.add_id(said)
        self.add_text(said)

    def _add_sepa_id(self, value: str, place: int = -1, *, is_end_to_end: bool) -> None:
        """An id has 35 characters at most: one that seems longer ends at `place`, where its piece
        does, else at the first blank, and what goes on there is text.
        """
        found, rest = value.strip(), ""
        if len(found) > SEPA_ID_CHARS_MAX:
            found, rest = value[:place].strip(), value[place:]
            if place < 0 or len(found) > SEPA_ID_CHARS_MAX:
                found, _, rest = value.strip().partition(" ")
        self.add_id(found)
        self.add_text(rest)
        if is_end_to_end and is_id(found):
            self.end_to_end_ids[found] = None


def is_id(text: str) -> bool:
    """Whether the bank gave an id where it has to write something."""
    said = text.strip().rstrip("+").upper()
    return len(said.strip("0")) > 1 and said not in PLACEHOLDERS


def identifies_line(bank_reference: str) -> bool:
    """Whether the bank's reference tells its line from those of other days: a short number counts
    within its statement, words are a remark.
    """
    return (
        len(bank_reference) >= 8
        and " " not in bank_reference
        and any(char.isdigit() for char in bank_reference)
        and is_id(bank_reference)
    )


def join_lines(lines: Iterable[str]) -> str:
    """Free text over several lines: one that is full goes on in the next, another ends there."""
    parts: list[str] = []
    for line in lines:
        parts.append(
            line if len(line) >= FULL_LINE_CHARS - len(":86:") * (not parts) else line + " "
        )
    return "".join(parts)


def _remember(found: dict[str, None], text: str) -> None:
    words = " ".join(text.split())
    if words:
        found[words] = None
