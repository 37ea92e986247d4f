"""Made-up MT940 and MT942 messages, and what is read from them."""

import io

from reconciliation.importers import FORMATS, ParsedLine, Record, RejectedLine

ENTRY = ":61:2603190319C12,34NTRFNONREF"
OPENING = ":60F:C260318EUR100,00"
CLOSING = ":62F:C260319EUR112,34"


def message(*body: str, opening: str = OPENING, closing: str = CLOSING) -> bytes:
    head = (":20:STM7", ":25:DE89370400440532013000", ":28C:00007/001", opening)
    return "\r\n".join([*head, *body, closing, "-", ""]).encode()


def report(*body: str) -> bytes:
    head = (":20:REP7", ":25:DE89370400440532013000", ":28C:7/1", ":34F:EURD0,", ":34F:EURC0,")
    return "\n".join([*head, ":13D:2603191815+0100", *body, "-", ""]).encode()


def records(data: bytes, code: str = "mt940") -> list[Record]:
    return list(FORMATS[code](io.BytesIO(data)))


def lines(*body: str) -> list[ParsedLine]:
    """The lines of a statement in which all can be read."""
    found = records(message(*body))
    assert not [record for record in found if isinstance(record, RejectedLine)], found
    return [record for record in found if isinstance(record, ParsedLine)]


def line(*texts: str) -> ParsedLine:
    """An entry with these fields and continuations below it."""
    [found] = lines(ENTRY, *texts)
    return found


def rejections(data: bytes, code: str = "mt940") -> list[tuple[int, str]]:
    return [
        (record.line_no, record.reason.partition(":")[0])
        for record in records(data, code)
        if isinstance(record, RejectedLine)
    ]
