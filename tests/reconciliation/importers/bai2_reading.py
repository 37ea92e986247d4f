"""BAI2 files around a few records, and what is read in them."""

import io

from reconciliation.importers import (
    FORMATS,
    Record,
    RejectedLine,
)

FILE = "01,BANKUS33,12345,260320,0215,7,80,1,2/"
GROUP = "02,12345,BANKUS33,1,260319,2400,EUR,2/"
DETAIL = "16,165,1234,,BK00000001,po_1,PAYOUT/"


def document(*body: str, account: str = "03,123 456,,/", group: str = GROUP) -> bytes:
    """One account with these records; its trailers state no totals."""
    return "\n".join([FILE, group, account, *body, "49,,/", "98,,,/", "99,,,/", ""]).encode()


def records(data: bytes) -> list[Record]:
    return list(FORMATS["bai2"](io.BytesIO(data)))


def reasons(data: bytes) -> list[tuple[int, str]]:
    return [
        (each.line_no, each.reason.partition(":")[0])
        for each in records(data)
        if isinstance(each, RejectedLine)
    ]
