"""BAI2 files as a whole: control totals, refusals, encodings, truncation."""

import io
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    Record,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.bai2_reading import (
    DETAIL,
    FILE,
    GROUP,
    document,
    reasons,
    records,
)

CONTROLLED = "\n".join(
    (
        *(FILE, GROUP, "03,1,,010,-500,,/", "88,015,700,,/", DETAIL, "49,{0},{1}/"),
        *("03,2,,/", "49,0,2/", "98,{2},{3},{4}/", "99,{5},{6},{7}/"),
    )
)
TOTALS = ["1434", "4", "1434", "2", "8", "+001434", "1", "10"]


def test_control_totals_that_agree_say_nothing() -> None:
    assert reasons(CONTROLLED.format(*TOTALS).encode()) == []


@pytest.mark.parametrize("place", range(len(TOTALS)))
def test_every_control_total_is_checked(place: int) -> None:
    wrong = [*TOTALS[:place], str(int(TOTALS[place]) + 1), *TOTALS[place + 1 :]]
    kind = "wrong_control_total" if place in (0, 2, 5) else "wrong_control_count"
    found = reasons(CONTROLLED.format(*wrong).encode())

    # The sum of a group is that of what its accounts state.
    assert found == ([(0, kind)] * 2 if place in (0, 2) else [(0, kind)])


@pytest.mark.parametrize("total", ["12.34", "x", "--1"])
def test_a_control_total_that_cannot_be_read_is_said(total: str) -> None:
    data = document(DETAIL).replace(b"49,,/", f"49,{total},/".encode())

    assert reasons(data) == [(0, "bad_amount")]


def test_text_below_a_trailer_is_said() -> None:
    assert reasons(document(DETAIL) + b"and so on") == [(0, "bad_trailer")]


def test_a_summary_that_cannot_be_read_is_said_and_the_lines_are_read() -> None:
    data = document(DETAIL, account="03,1,,010,5,,,015,1.5,,/")

    assert reasons(data) == [(0, "bad_amount")]
    assert len([each for each in records(data) if isinstance(each, ParsedLine)]) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_this_format"),
        (b"01,a,b,c\n", "not_this_format"),
        (document(DETAIL).replace(b",2/", b",1/", 1), "not_this_format"),
        (FILE.encode(), "truncated"),
        (document(DETAIL).replace(b"99,,,/", b""), "truncated"),
        (document(DETAIL).replace(b"49,,/\n", b""), "malformed_bai2"),
        (document(DETAIL, GROUP), "malformed_bai2"),
        (document(DETAIL) + b"98,,,/\n99,,,/", "malformed_bai2"),
        (document(DETAIL, "88,te\0xt"), "nul_character"),
        (document(DETAIL, "88," + "x" * (3 << 20)), "line_too_long"),
        (document(DETAIL, *["88," + "x" * 70] * 20_000), "record_too_large"),
        (document(DETAIL) + b"\x81", "undecodable"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        records(data)
    assert refused.value.code == code


def test_a_truncated_file_is_refused_after_a_prefix_of_the_truth() -> None:
    data = CONTROLLED.format(*TOTALS).encode()
    for size in range(data.index(b"\n99,")):
        found: list[Record] = []
        with pytest.raises(ImportRefused):
            found.extend(FORMATS["bai2"](io.BytesIO(data[:size])))
        nets = {each.net for each in found if isinstance(each, ParsedLine)}
        assert nets <= {Decimal("12.34")}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_of_banks_is_read(encoding: str) -> None:
    data = document(DETAIL.replace("PAYOUT", "Caf\u00e9")).decode().encode(encoding)

    with io.BytesIO(data) as file:
        assert recognise(file) == "bai2"
    assert [each.text for each in records(data) if isinstance(each, ParsedLine)] == ["Caf\u00e9"]


def test_files_may_follow_one_another() -> None:
    found = records(document(DETAIL) + b"\r\n\x1a" + document(DETAIL))

    assert [type(each) for each in found] == [StatementHeader, ParsedLine, StatementTrailer] * 2


@settings(max_examples=150, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 8), st.binary(max_size=6)), max_size=6
    )
)
def test_a_mutated_file_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    body = [DETAIL, "88,text/", "16,475,500,V,260321,0900,BK00000002,po_2,/", "16,165,5,D,1,1,5,/"]
    data = bytearray(document(*body, account="03,1,EUR,010,5,,,100,6,1,S,1,2,3,015,9,,/"))
    for at, length, inserted in edits:
        data[at : at + length] = inserted
    try:
        found = records(bytes(data))
    except ImportRefused:
        return
    assert isinstance(found[-1], StatementTrailer | RejectedLine)
