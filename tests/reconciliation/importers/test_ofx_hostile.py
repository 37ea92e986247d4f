"""OFX that means harm or arrived broken (reliability.md R5.2, C.4)."""

import io

import pytest

from reconciliation.importers import FORMATS, ImportRefused
from tests.reconciliation.importers.processor_reports import OFX_SGML, refusal
from tests.reconciliation.importers.test_ofx import entry, ofx, statement


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_this_format"),
        (b"OFXHEADER:100\n", "not_this_format"),
        (OFX_SGML + OFX_SGML, "trailing_content"),
        (OFX_SGML + b"rest", "trailing_content"),
        (OFX_SGML.replace(b"</STMTRS>", b""), "malformed_ofx"),
        (ofx(entry()), "malformed_ofx"),
        (ofx(statement(statement())), "malformed_ofx"),
        (b'<!DOCTYPE OFX SYSTEM "ofx160.dtd">' + ofx(statement()), "dtd_refused"),
        (b"<!DOCTYPE OFX [<!ENTITY a 'b'>]>" + ofx(statement()), "dtd_refused"),
        (OFX_SGML.replace(b"RENT", b"\0"), "nul_character"),
        (OFX_SGML.replace(b"RENT", b"\x81"), "undecodable"),
        (OFX_SGML.replace(b"RENT", b"x" * 70_000), "element_too_large"),
        (OFX_SGML.replace(b"RENT", b"<!-- " + b"x" * 70_000), "truncated"),
        (OFX_SGML.replace(b"RENT", b"<![CDATA[" + b"x" * 70_000), "element_too_large"),
        (OFX_SGML.replace(b"RENT", b"x<!---->" * 70_000), "element_too_large"),
        (OFX_SGML.replace(b"RENT", (b"x" * 999 + b"<MEMO>") * 300), "element_too_large"),
        (b"<OFX>" + b"<BAL>" * 100, "too_deep"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal("ofx", data).code == code


def test_a_file_cut_anywhere_is_refused() -> None:
    end = OFX_SGML.rindex(b"</OFX>") + len(b"</OFX>")
    for size in range(end):
        assert refusal("ofx", OFX_SGML[:size]).code in ("truncated", "not_this_format"), size


class OneLine(io.RawIOBase):
    """A text of `size` bytes on one line, made while it is read."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head, self._size = head, size
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset
        return offset

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._size - self._at)
        piece = (self._head[self._at :] + b"y" * count)[:count]
        buffer[:count] = piece
        self._at += count
        return count


def test_a_line_of_100_megabytes_is_refused_in_little_memory() -> None:
    file = io.BufferedReader(OneLine(b"<OFX><STMTRS><CURDEF>", 100 << 20))
    with pytest.raises(ImportRefused, match="element_too_large"):
        list(FORMATS["ofx"](file, {}))
