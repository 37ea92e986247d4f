"""Reading large XML without trusting it (reliability.md R5.2).

No DTD, no entity, no network, no element deeper than 64, no element so large that it would not fit:
a file of any size is read in the memory of its largest element.
"""

import re
from collections.abc import Collection
from typing import Any, BinaryIO

from lxml import etree

from .records import ImportRefused

DEPTH_MAX = 64
HEAD_BYTES_MAX = 1 << 16
HEAD_STEP_BYTES = 512
ELEMENT_BYTES_MAX = 8 << 20

_UTF_8_MARK = b"\xef\xbb\xbf"
_declares_utf_16 = re.compile(
    rb"""<\?xml[^>]{0,100}\bencoding\s*=\s*["']utf-?16""", re.IGNORECASE
).match

SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": True,
    "remove_pis": True,
}

# Texts by the path of local names below an element, each list in document order.
Fields = dict[str, list[str]]


class BoundedReader:
    """A file read forwards, refused once too much of it has been read without being let go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held_bytes = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._held_bytes += len(piece)
        if self._held_bytes > ELEMENT_BYTES_MAX:
            raise ImportRefused("element_too_large", f"more than {ELEMENT_BYTES_MAX} bytes in one")
        return piece

    def let_go(self) -> None:
        self._held_bytes = 0


def go_to_start(file: BinaryIO) -> str | None:
    """Go to where the XML begins, below blank lines that some banks write above it.

    Returns its encoding where the declaration is known to be wrong: what has no NUL is not UTF-16.
    """
    file.seek(0)
    head = file.read(HEAD_STEP_BYTES)
    text = head.removeprefix(_UTF_8_MARK).lstrip(b" \t\r\n")
    if not text.startswith(b"<") or b"\0" in text:
        file.seek(0)
        return None
    file.seek(len(head) - len(text))
    return "utf-8" if _declares_utf_16(text) else None


def local_name(element: Any) -> str:
    """The element's name without its namespace, which tells no more than the version."""
    tag: str = element.tag
    return tag[tag.rfind("}") + 1 :]


def find_in_head(file: BinaryIO, names: Collection[str]) -> str:
    """The first of these elements to open within the head of the file; "" if none does.

    Refuses a DOCTYPE before anything that it declares can be used, and what is not XML.
    """
    encoding = go_to_start(file)
    parser = etree.XMLPullParser(events=("start",), encoding=encoding, **SAFE)
    error: etree.XMLSyntaxError | None = None
    for _ in range(HEAD_BYTES_MAX // HEAD_STEP_BYTES):
        piece = file.read(HEAD_STEP_BYTES)
        try:
            parser.feed(piece) if piece else parser.close()
        except etree.XMLSyntaxError as problem:
            error = problem
        for _, element in parser.read_events():
            if element.getroottree().docinfo.doctype:
                raise ImportRefused("dtd_refused", "the file declares a DOCTYPE")
            if local_name(element) in names:
                return local_name(element)
        if error is not None:
            raise ImportRefused("malformed_xml", str(error)) from error
        if not piece:
            break
    return ""


def read_fields(element: Any, path: str, depth: int, found: Fields) -> None:
    """Adds the texts of all leaves of `element` to `found`; `path` is the element's own.

    An amount's currency stands beside it, under the path of the amount with `@Ccy`.
    """
    if depth > DEPTH_MAX:
        raise ImportRefused("too_deep", f"elements nested deeper than {DEPTH_MAX}")
    if len(element):
        for child in element:
            tag = child.tag
            name = tag[tag.rfind("}") + 1 :]
            read_fields(child, f"{path}/{name}" if path else name, depth + 1, found)
        return
    found.setdefault(path, []).append((element.text or "").strip())
    if path.endswith("Amt"):
        found.setdefault(f"{path}@Ccy", []).append(element.get("Ccy", ""))


def first(fields: Fields, *paths: str) -> str:
    """The first text that is not empty, in the order of the paths; "" if there is none."""
    for path in paths:
        for text in fields.get(path, ()):
            if text:
                return text
    return ""
