"""One OFX statement as all the systems write it: versions, headers, end tags, encodings."""

import pytest

from reconciliation.importers import ParsedLine
from tests.reconciliation.importers.processor_reports import OFX_SGML, read, recognised


def closed(data: bytes) -> bytes:
    """The same file with an end tag for every field."""
    header, tag, body = data.decode().partition("<OFX>")
    parts = (tag + body).split("<")
    out = []
    for part in parts[1:]:
        name, _, text = part.partition(">")
        is_leaf = not name.startswith("/") and bool(text.strip())
        out.append(f"<{name}>{text.strip()}</{name}>\n" if is_leaf else f"<{part}")
    return (header + "".join(out)).encode()


@pytest.mark.parametrize(
    "data",
    [
        closed(OFX_SGML),
        OFX_SGML.replace(b"\n", b"\r\n"),
        OFX_SGML.replace(b"\n", b" "),
        b"\n\n\n" + OFX_SGML,
        b"\xef\xbb\xbf" + OFX_SGML,
        OFX_SGML[OFX_SGML.index(b"<OFX>") :],
        b"<!--\n" + OFX_SGML.replace(b"\n\n<OFX>", b"\n-->\n<OFX>"),
        b'<?xml version="1.0"?><?OFX OFXHEADER="200" VERSION="211"?>'
        + closed(OFX_SGML[OFX_SGML.index(b"<OFX>") :]),
        OFX_SGML.replace(b"<BALAMT>1100.25", b"<!-- a > b --><BALAMT>1100.25"),
        OFX_SGML.replace(b"<NAME>RENT", b"<NAME><![CDATA[RENT]]>"),
        OFX_SGML.replace(b"<STMTRS>", b"<stmtrs>").replace(b"</STMTRS>", b"</stmtrs>"),
        OFX_SGML.decode().encode("utf-16"),
        OFX_SGML + b"\r\n\x1a",
        OFX_SGML.replace(b"<REFNUM>R1", b"<REFNUM>R1<SIC>5411<MEMO><EXTDNAME/>"),
    ],
)
def test_headers_end_tags_and_blanks_make_no_difference(data: bytes) -> None:
    assert recognised(data) == "ofx"
    assert read("ofx", data) == read("ofx", OFX_SGML)


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("1252", "utf-8"), ("1252", "cp1252"), ("UTF-8", "cp1252"), ("1251", "cp1251")],
)
def test_encodings_that_lie(charset: str, encoding: str) -> None:
    text = OFX_SGML.decode().replace("1252", charset).replace("RENT", "Жилье" * (charset == "1251"))
    data = text.replace("ACME", "Café" if charset != "1251" else "ACME").encode(encoding)
    _, first, second, _ = read("ofx", data)

    assert isinstance(first, ParsedLine)
    assert isinstance(second, ParsedLine)
    assert first.counterparty == ("Café & SONS" if charset != "1251" else "ACME & SONS")
    assert second.counterparty == ("Жилье" if charset == "1251" else "")
