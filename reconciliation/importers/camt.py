"""ISO 20022 bank to customer messages: camt.053 statements, .052 reports, .054 notifications.

All versions, in any namespace or none (formats.md §2). A statement's header is known when its first
entry opens; entries and their details are let go as soon as they are read.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from .camt_entry import Entry
from .camt_statement import Statement, raw_of
from .records import ImportRefused, ParsedLine, Record, RejectedLine
from .values import Unreadable
from .xml_stream import (
    SAFE,
    BoundedReader,
    Fields,
    find_in_head,
    go_to_start,
    local_name,
    read_fields,
)

# The element that holds a message's statements, and the element that is one.
MESSAGES = {
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
# Version 01 puts its number into the name.
FORMATS_BY_ELEMENT = {
    name + version: code for code, (name, _) in MESSAGES.items() for version in ("", "V01")
}
WATCHED = [f"{{*}}{name}" for name in ("Stmt", "Rpt", "Ntfctn", "Ntry", "TxDtls")]


def format_of(file: BinaryIO) -> str:
    """Which of the three messages the file holds, "" if none. Refuses a DOCTYPE and broken XML."""
    return FORMATS_BY_ELEMENT.get(find_in_head(file, FORMATS_BY_ELEMENT), "")


def parse(file: BinaryIO, code: str) -> Iterator[Record]:
    """The statements of a message of the format `code`; another message is refused.

    A notification read as a statement would count its bookings a second time.
    """
    found = format_of(file)
    if found != code:
        raise ImportRefused("not_this_format", f"{found or 'no account message'}, not {code}")
    encoding = go_to_start(file)
    source = BoundedReader(file)
    message = _Message(source)
    events = etree.iterparse(
        source, events=("start", "end"), tag=WATCHED, encoding=encoding, **SAFE
    )
    try:
        for event, element in events:
            yield from message.read(event, element)
    except etree.XMLSyntaxError as error:
        raise ImportRefused("malformed_xml", str(error)) from error
    read_fields(events.root, "", 1, {})
    if not message.has_statements:
        raise ImportRefused("no_statements", f"the {code} message holds no statement")


def parse_statement(file: BinaryIO) -> Iterator[Record]:
    """camt.053: the entries of a closed period, between two balances."""
    return parse(file, "camt.053")


def parse_report(file: BinaryIO) -> Iterator[Record]:
    """camt.052: provisional entries within the day."""
    return parse(file, "camt.052")


def parse_notification(file: BinaryIO) -> Iterator[Record]:
    """camt.054: details of bookings, without balances."""
    return parse(file, "camt.054")


class _Message:
    """Turns elements, as they open and close, into records."""

    def __init__(self, source: BoundedReader) -> None:
        self.has_statements = False
        self._source = source
        self._header: Fields = {}
        self._element: Any = None
        self._statement = Statement({}, 0)
        self._entry: Entry | None = None
        self._entries_count = 0

    def read(self, event: str, element: Any) -> Iterator[Record]:
        """The records that `element`, opening ("start") or closing ("end"), completes."""
        name = local_name(element)
        parent = element.getparent()
        if name == "TxDtls":
            if self._entry is not None and event == "end":
                self._take_details(self._entry, element)
        elif name == "Ntry":
            if parent is None or parent is not self._element:
                return
            if event == "start":
                yield from self._open_entry(element)
            else:
                yield self._close_entry(element)
        elif element is self._element:
            yield from self._close_statement(element)
        elif event == "start" and parent is not None and local_name(parent) in FORMATS_BY_ELEMENT:
            self._open_statement(element)

    def _open_statement(self, element: Any) -> None:
        depth = sum(1 for _ in element.iterancestors()) + 1
        for sibling in _siblings_before(element):
            read_fields(sibling, local_name(sibling), depth, self._header)
            element.getparent().remove(sibling)
        self._element = element
        self._statement = Statement(self._header, depth)
        self.has_statements = True

    def _open_entry(self, element: Any) -> Iterator[Record]:
        statement = self._statement
        for sibling in _siblings_before(element):
            statement.take(sibling)
            self._element.remove(sibling)
        yield from statement.open()
        self._entries_count += 1
        self._entry = Entry(self._entries_count, statement.currency, statement.day)

    def _take_details(self, entry: Entry, element: Any) -> None:
        entry.add_details(element, self._statement.depth + 3)
        previous = element.getprevious()
        if previous is not None and previous.tag == element.tag:
            element.getparent().remove(previous)
        self._let_go(element)

    def _close_entry(self, element: Any) -> ParsedLine | RejectedLine:
        entry, self._entry = self._entry, None
        assert entry is not None, "an entry opens before it closes"
        try:
            return entry.line(element, self._statement.depth + 1)
        except Unreadable as problem:
            return RejectedLine(entry.line_no, str(problem), raw_of(element))
        finally:
            self._let_go(element)

    def _close_statement(self, element: Any) -> Iterator[Record]:
        for child in element:
            self._statement.take(child)
        yield from self._statement.open()
        trailer = self._statement.trailer()
        yield from self._statement.rejected
        yield trailer
        self._element = None
        self._let_go(element)

    def _let_go(self, element: Any) -> None:
        # The tail stays: the parser may still be writing it.
        element.clear(keep_tail=True)
        self._source.let_go()


def _siblings_before(element: Any) -> list[Any]:
    """Closed already, hence complete; in document order."""
    return list(element.itersiblings(preceding=True))[::-1]
