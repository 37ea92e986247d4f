"""SWIFT customer statement messages as fields, `:tag:text`: blocks, pages, line numbers.

Banks send the text block of MT940 and MT942 with or without SWIFT's envelope (`{1:…}{4:` … `-}`),
with `:940:` or a free text above it, one message after another (formats.md §1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .csv_table import encoding_of, open_text
from .records import ImportRefused

HEAD_BYTES = 1 << 16
# Six lines of 65 characters are the rule, some banks write more; an endless field is no statement.
FIELD_CHARS_MAX = 1 << 16

# Other texts between colons at the beginning of a line ("12:30 h") are what people wrote.
TAGS = frozenset(
    {"13", "13D", "20", "21", "25", "25P", "28", "28C", "34F", "60F", "60M", "61", "62F", "62M"}
    | {"64", "65", "86", "90C", "90D"}
)
_tag_in = re.compile(r":([0-9]{2}[A-Z]?):").match
_is_frame = re.compile(r"\{[1-5]:|-\}|:94[02]:").match
# Frame characters of telex days and of DOS.
_CONTROLS = "\x01\x02\x03\x1a\ufeff"

_STATEMENT_TAGS = frozenset({"60F", "60M", "62F", "62M"})
_REPORT_TAGS = frozenset({"34F", "13", "13D", "90C", "90D"})
_message_type = re.compile(r"\{2:[IO](94[02])|^:(94[02]):|^(94[02])\b").search


@dataclass(slots=True)
class Field:
    """One field, its first line without the tag; `raw` is how its lines stand in the file."""

    tag: str
    line_no: int
    lines: list[str]
    raw: list[str]

    @property
    def first(self) -> str:
        return self.lines[0].strip()


def format_of(file: BinaryIO) -> str:
    """ "mt940" or "mt942" by the first field that only one of them has, "" for anything else."""
    file.seek(0)
    # Both formats are ASCII where it matters, and without NULs so is UTF-16.
    head = file.read(HEAD_BYTES).replace(b"\0", b"").decode("latin-1")
    named = ""
    has_entry = False
    for line in head.splitlines():
        text = _without_envelope(line.strip(_CONTROLS + "ÿþï»¿"))
        if (found := _message_type(line)) is not None:
            named = f"mt{found[1] or found[2] or found[3]}"
        tag = _tag_of(text)
        if tag in _STATEMENT_TAGS:
            return "mt940"
        if tag in _REPORT_TAGS:
            return "mt942"
        has_entry = has_entry or tag in ("20", "61")
    return (named or "mt940") if has_entry else ""


def read_fields(file: BinaryIO) -> Iterator[Field]:
    """Every field in file order; what stands outside the messages is left out."""
    with open_text(file, encoding_of(file)) as text:
        yield from _fields_in(text)


def _fields_in(lines: Iterator[str]) -> Iterator[Field]:
    field: Field | None = None
    size = 0
    for line_no, line in enumerate(lines, 1):
        text = line.rstrip("\r\n").strip(_CONTROLS)
        if _is_frame(text):
            if field is not None:
                yield _ended(field)
            field = None
            text = _without_envelope(text)
        tag = _tag_of(text)
        if tag:
            if field is not None:
                yield _ended(field) if tag == "20" else field
            field = Field(tag, line_no, [text.partition(f":{tag}:")[2]], [line])
            size = len(text)
        elif field is not None:
            size += len(text) + 1
            if size > FIELD_CHARS_MAX:
                sentence = f"field :{field.tag}: of line {field.line_no} does not end"
                raise ImportRefused("field_too_large", sentence)
            field.lines.append(text)
            field.raw.append(line)
    if field is not None:
        yield _ended(field)


def _tag_of(text: str) -> str:
    found = _tag_in(text)
    return found[1] if found and found[1] in TAGS else ""


def _without_envelope(text: str) -> str:
    """What stands on the line of a text block's opening brace, below it as a rule."""
    return text.rpartition("{4:")[2] if "{4:" in text else text


def _ended(field: Field) -> Field:
    """The last field of a message, without the line "-" that ends it.

    Within a message such a line is text, where a bank broke the line at a hyphen.
    """
    lines = [line.strip() for line in field.lines]
    if "-" in lines:
        field.lines = field.lines[: lines.index("-")] or [""]
    return field
