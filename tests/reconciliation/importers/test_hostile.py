"""Files that mean harm or arrived broken (reliability.md R5.2, R5.8, C.4), and very large ones."""

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciliation.importers import FORMATS, ImportRefused, ParsedLine, Record, recognise
from tests.reconciliation.importers.camt_messages import FRAME, details, document, entry

STRIPE_NAMES = (
    b"balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category"
)
STRIPE_ROW = b"txn_1,2026-03-17,2026-03-19,eur,3.00,1.00,2.00,charge"
MIB = 1 << 20


def refusal(data: bytes, code: str = "camt.053") -> str:
    with pytest.raises(ImportRefused) as refused:
        list(FORMATS[code](io.BytesIO(data)))
    return refused.value.code


def with_doctype(doctype: str, text: str = "x") -> bytes:
    body = document(FRAME + entry(rest=f"<AddtlNtryInf>{text}</AddtlNtryInf>")).decode()
    declaration, mark, rest = body.partition("?>")
    return f"{declaration}{mark}<!-- c -->{doctype}{rest}".encode()


LAUGHS = '<!ENTITY l0 "lol">' + "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)
)


@pytest.mark.parametrize(
    "data",
    [
        with_doctype("<!DOCTYPE Document>"),
        with_doctype('<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">'),
        with_doctype('<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        with_doctype('<!DOCTYPE d [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>', "&x;"),
        with_doctype('<!DOCTYPE d [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'),
        with_doctype(f"<!DOCTYPE d [{LAUGHS}]>", "&l9;"),
        with_doctype(f'<!DOCTYPE d [<!ENTITY a "{"a" * 1000}">]>', "&a;" * 10_000),
        with_doctype("<!DOCTYPE Document>").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    ],
)
def test_a_doctype_is_refused_whatever_it_declares(data: bytes) -> None:
    assert refusal(data) == "dtd_refused"
    with pytest.raises(ImportRefused, match="dtd_refused"):
        recognise(io.BytesIO(data))


def nested(levels: int) -> str:
    return "<a>" * levels + "</a>" * levels


@pytest.mark.parametrize(
    "data",
    [
        document(FRAME + entry(rest=nested(61))),
        document(FRAME + entry(rest=details(nested(59)))),
        document(FRAME + nested(62) + entry()),
        document(FRAME + entry(), header=nested(62)),
        document(FRAME + entry() + "</Stmt><Else>" + nested(62) + "</Else><Stmt>"),
    ],
)
def test_elements_deeper_than_64_are_refused(data: bytes) -> None:
    assert refusal(data) == "too_deep"


def test_64_levels_are_read_and_10_000_do_no_harm() -> None:
    assert list(FORMATS["camt.053"](io.BytesIO(document(FRAME + entry(rest=nested(60))))))
    assert refusal(document(FRAME + entry(rest=nested(10_000)))) == "malformed_xml"


@pytest.mark.parametrize(
    "data",
    [
        document(FRAME + entry()) + document(FRAME),
        document(FRAME + entry()).replace(b"UTF-8", b"UTF-99"),
        document(FRAME + entry(rest="<AddtlNtryInf>\u00e9</AddtlNtryInf>"))
        .decode()
        .encode("latin-1"),
        document(FRAME + entry(rest="<AddtlNtryInf>&unknown;</AddtlNtryInf>")),
        document(FRAME + entry(rest="<AddtlNtryInf>\0</AddtlNtryInf>")),
    ],
)
def test_malformed_xml_is_refused(data: bytes) -> None:
    assert refusal(data) == "malformed_xml"


def records_until_refused(
    parse: Callable[[io.BytesIO], Iterator[Record]], data: bytes
) -> list[Record]:
    found: list[Record] = []
    with contextlib.suppress(ImportRefused):
        found.extend(parse(io.BytesIO(data)))
    return found


def test_a_truncated_message_is_refused_after_a_prefix_of_the_truth() -> None:
    entries = "".join(entry(f"{number}.25") for number in range(1, 300))
    data = document(FRAME + entries)
    truth = list(FORMATS["camt.053"](io.BytesIO(data)))

    for size in range(0, len(data), 200):
        with pytest.raises(ImportRefused):
            list(FORMATS["camt.053"](io.BytesIO(data[:size])))
        found = records_until_refused(FORMATS["camt.053"], data[:size])
        assert found == truth[: len(found)]


def test_a_truncated_report_yields_no_wrong_amount() -> None:
    data = STRIPE_NAMES + b"\n" + b"\n".join([STRIPE_ROW] * 50)
    [truth] = {
        (line.gross, line.fee, line.net)
        for line in FORMATS["stripe.payout_reconciliation"](io.BytesIO(data))
        if isinstance(line, ParsedLine)
    }

    for size in range(0, len(data), 7):
        found = records_until_refused(FORMATS["stripe.payout_reconciliation"], data[:size])
        lines = [record for record in found if isinstance(record, ParsedLine)]
        assert {(line.gross, line.fee, line.net) for line in lines} <= {truth}


@pytest.mark.parametrize("code", FORMATS)
def test_random_bytes_are_refused_and_nothing_else(code: str) -> None:
    source = random.Random(20022)
    prefixes = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"<", b"<?xml ", b'"')
    for number in range(300):
        data = prefixes[number % len(prefixes)] + source.randbytes(source.randrange(600))
        with pytest.raises(ImportRefused):
            list(FORMATS[code](io.BytesIO(data)))
        with pytest.raises(ImportRefused):
            recognise(io.BytesIO(data))


@pytest.mark.parametrize("code", ["stripe.payout_reconciliation", "camt.053"])
def test_flipped_bytes_never_crash(code: str) -> None:
    source = random.Random(4217)
    report = STRIPE_NAMES + b"\n" + b"\n".join([STRIPE_ROW] * 5)
    good = report if code.startswith("stripe") else document(FRAME + entry() * 5)
    for _ in range(500):
        data = bytearray(good)
        for _ in range(source.randrange(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        records_until_refused(FORMATS[code], bytes(data))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (STRIPE_NAMES + b'\n"' + STRIPE_ROW + b"\n" + STRIPE_ROW, "malformed_csv"),
        (STRIPE_NAMES + b'\n"' + b"x\n" * 100_000, "malformed_csv"),
        (STRIPE_NAMES + b"\ntxn\0_1" + STRIPE_ROW, "nul_character"),
        ((STRIPE_NAMES + b"\n").decode().encode("utf-16-le"), "nul_character"),
        (STRIPE_NAMES + b"\n" + b"x" * 3 * MIB, "line_too_long"),
        (STRIPE_NAMES + b"\n\x81", "undecodable"),
        (b"\xef\xbb\xbf" + STRIPE_NAMES + b"\n\xff", "undecodable"),
        (STRIPE_NAMES + b",net\n", "duplicate_column"),
    ],
)
def test_reports_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal(data, "stripe.payout_reconciliation") == code


def test_a_quote_out_of_place_rejects_its_line_alone() -> None:
    data = b"\n".join([STRIPE_NAMES, b'"txn"_1,' + STRIPE_ROW, STRIPE_ROW])
    found = list(FORMATS["stripe.payout_reconciliation"](io.BytesIO(data)))

    assert [type(record).__name__ for record in found[1:-1]] == ["RejectedLine", "ParsedLine"]


def test_an_element_that_would_not_fit_is_refused() -> None:
    junk = "<x>" + "y" * 1000 + "</x>"

    assert refusal(document(FRAME + junk * 9000 + entry())) == "element_too_large"
    assert refusal(document(FRAME + entry(rest=junk * 9000))) == "element_too_large"


class Generated(io.RawIOBase):
    """A file made while it is read: `head`, `count` times `body`, `tail`. Notes the peak memory."""

    def __init__(self, head: bytes, body: bytes, count: int, tail: bytes) -> None:
        self._parts = (head, body, count, tail)
        self.peak_bytes = 0
        self.seek(0)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert (offset, whence) == (0, io.SEEK_SET)
        self._pieces = self._made()
        self._buffer = b""
        return 0

    def _made(self) -> Iterator[bytes]:
        head, body, count, tail = self._parts
        yield head
        for _ in range(count // 100):
            self.peak_bytes = max(self.peak_bytes, resident_bytes())
            yield body * 100
        yield tail

    def read(self, size: int = -1) -> bytes:
        while len(self._buffer) < size and (piece := next(self._pieces, b"")):
            self._buffer += piece
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.parametrize("inner", ["entries", "details of one entry"])
def test_a_large_statement_is_read_in_little_memory(inner: str) -> None:
    transaction = "<Refs><EndToEndId>po_1</EndToEndId></Refs><RmtInf><Ustrd>PAYOUT</Ustrd></RmtInf>"
    text = document(FRAME + entry(rest=details(transaction))).decode()
    opens, closes = ("<Ntry>", "</Ntry>") if inner == "entries" else ("<TxDtls>", "</TxDtls>")
    start, end = text.index(opens), text.index(closes) + len(closes)
    file = Generated(text[:start].encode(), text[start:end].encode(), 200_000, text[end:].encode())

    before = resident_bytes()
    found = FORMATS["camt.053"](file)  # type: ignore[arg-type]
    lines = sum(isinstance(record, ParsedLine) for record in found)
    grown_bytes = file.peak_bytes - before

    assert lines == (200_000 if inner == "entries" else 1)
    assert grown_bytes < 100 * MIB
    print(f"\n200,000 {inner}: {grown_bytes / MIB:.1f} MiB more")
