"""OFX as tags and texts, whatever version: SGML with or without end tags, or XML (formats.md §4).

One tolerant reader for both, because files mix them. It streams: a file of any size, on one line
or many, is read in the memory of its longest text. Nothing is declared, included or expanded.
"""

import codecs
import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import BinaryIO, TextIO

from .csv_table import open_text
from .records import ImportRefused

CHUNK_BYTES = 1 << 20
PIECE_CHARS = 1 << 16
TEXT_CHARS_MAX = 1 << 16
TAG_CHARS_MAX = 300
HEAD_BYTES = 1 << 12

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_declared = re.compile(
    rb"""(?:CHARSET|ENCODING)\s*[:=]\s*["']?(?:WINDOWS-|CP)?"""
    rb"(125[0-8]|(?:ISO-?)?8859-[0-9]{1,2})\b",
    re.IGNORECASE,
).search
_opens_ofx = re.compile(
    rb"(?:\A|[\r\n>])\s*(?:<\?OFX\b|OFXHEADER\b|<OFX[\s>])", re.IGNORECASE
).search
_step = re.compile(rf"([^<]*)<(/?)([A-Za-z][\w.\-]*)(\s[^<>]{{0,{TAG_CHARS_MAX}}})?(/?)>").match
_expand = re.compile(r"&(amp|lt|gt|quot|apos|nbsp|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});").sub
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}


class Sign(Enum):
    """What a token is."""

    OPEN = auto()
    CLOSE = auto()
    TEXT = auto()


# A name in upper case, or a text as it stands.
Token = tuple[Sign, str]


def is_ofx(head: bytes) -> bool:
    """Whether a file that begins with `head` (without NULs) says that it is OFX."""
    return _opens_ofx(head) is not None


def tokens(file: BinaryIO) -> Iterator[Token]:
    """Tags and texts of the whole file; comments, instructions and blank texts are left out.

    Refuses a DOCTYPE, a text or tag without end, and a file that is text in no encoding.
    """
    with open_text(file, _encoding_of(file)) as text:
        yield from _Scanner(text).tokens()


def _encoding_of(file: BinaryIO) -> str:
    """UTF-8 if the whole file reads so, whatever the header says; else as it says, else cp1252."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    marked = [encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)]
    named = _declared(head)
    said = named[1].decode().lower() if named else "1252"
    declared = f"cp{said}" if said.startswith("125") else f"iso8859-{said.rpartition('-')[2]}"
    for encoding in marked or ("utf-8", declared, "cp1252"):
        if _reads_as(file, encoding):
            return encoding
    raise ImportRefused("undecodable", f"the OFX file is neither UTF-8 nor {declared} text")


def _reads_as(file: BinaryIO, encoding: str) -> bool:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        return False
    file.seek(0)
    while True:
        chunk = file.read(CHUNK_BYTES)
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeError:
            return False
        if "\0" in text:
            raise ImportRefused("nul_character", f"NUL character in a {encoding} text")
        if not chunk:
            return True


class _Scanner:
    """Holds one piece of the text at a time, and the tag or text that it cuts."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self._is_end = False

    def tokens(self) -> Iterator[Token]:
        while self._fill():
            while found := _step(self._held, self._at):
                self._at = found.end()
                text, slash, name, attributes, empty = found.groups()
                if text and not text.isspace():
                    yield Sign.TEXT, _expand(_character, text)
                name = name.upper()
                yield (Sign.CLOSE if slash else Sign.OPEN), name
                if empty or (attributes or "").endswith("/"):
                    yield Sign.CLOSE, name
            yield from self._rest()

    def _fill(self) -> bool:
        """Takes the next piece behind what is left of this one; False when all is read."""
        self._held, self._at = self._held[self._at :], 0
        if self._is_end:
            return bool(self._held)
        piece = self._text.read(PIECE_CHARS)
        self._is_end = not piece
        self._held += piece
        return bool(self._held) or not self._is_end

    def _rest(self) -> Iterator[Token]:
        """What stands before the next tag and is none, as far as this piece tells."""
        held, at = self._held, self._at
        tag = held.find("<", at)
        if tag < 0:
            if not self._is_end:
                _check_length(len(held) - at)
                return
            tag = len(held)
        elif not self._is_end and len(held) - tag < TAG_CHARS_MAX + 2:
            _check_length(tag - at)
            return
        self._at = tag
        yield from _text(held[at:tag])
        if tag < len(held):
            yield from self._special()

    def _special(self) -> Iterator[Token]:
        """A comment, instruction or CDATA section; any other "<" is part of a text."""
        held, at = self._held, self._at
        if held.startswith("<!--", at):
            self._skip("-->", 4)
        elif held.startswith("<?", at):
            self._skip("?>", 2)
        elif held.startswith("<![CDATA[", at):
            yield from self._character_data()
        elif held.startswith("<!", at) and held[at + 2 : at + 3].isalpha():
            raise ImportRefused("dtd_refused", "the file declares a DOCTYPE")
        else:
            self._at = at + 1
            yield Sign.TEXT, "<"

    def _skip(self, end: str, opening_chars: int) -> None:
        self._at += opening_chars
        while (found := self._held.find(end, self._at)) < 0:
            if self._is_end:
                raise ImportRefused("truncated", f"the file ends before a {end!r}")
            self._at = max(self._at, len(self._held) - len(end) + 1)
            self._fill()
        self._at = found + len(end)

    def _character_data(self) -> Iterator[Token]:
        self._at += len("<![CDATA[")
        while (found := self._held.find("]]>", self._at)) < 0:
            if self._is_end:
                raise ImportRefused("truncated", "the file ends within a CDATA section")
            _check_length(len(self._held) - self._at)
            self._fill()
        text = self._held[self._at : found]
        self._at = found + len("]]>")
        _check_length(len(text))
        yield Sign.TEXT, text


def _text(text: str) -> Iterator[Token]:
    _check_length(len(text))
    if text and not text.isspace():
        yield Sign.TEXT, _expand(_character, text)


def _check_length(chars: int) -> None:
    if chars > TEXT_CHARS_MAX:
        raise ImportRefused("element_too_large", f"a text of more than {TEXT_CHARS_MAX} characters")


def _character(found: re.Match[str]) -> str:
    name = found[1]
    if not name.startswith("#"):
        return _ENTITIES[name]
    code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    is_text = 0x20 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF or code in (9, 10, 13)
    return chr(code) if is_text else found[0]
