"""MT942 interim reports: provisional entries, no balances (formats.md §1)."""

import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.importers import (
    FORMATS,
    NOT_BOOKED,
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.mt940_messages import (
    ENTRY,
    message,
    records,
    rejections,
    report,
)

DEBIT = ":61:2603190319D0,34NTRFNONREF//BK00000002"


def test_a_report_is_header_lines_and_declared_totals() -> None:
    found = records(report(ENTRY, DEBIT, ":90D:1EUR0,34", ":90C:1EUR12,34"), "mt942")

    assert found[0] == StatementHeader(
        account="DE89370400440532013000",
        currency="EUR",
        statement_id="REP7",
        sequence="7/1",
        first_day=None,
        last_day=date(2026, 3, 19),
    )
    lines = [each for each in found if isinstance(each, ParsedLine)]
    assert [(each.net, each.currency) for each in lines] == [
        (Decimal("12.34"), "EUR"),
        (Decimal("-0.34"), "EUR"),
    ]
    assert found[-1] == StatementTrailer(
        declared_count=2, declared_credit=Decimal("12.34"), declared_debit=Decimal("0.34")
    )


def test_totals_of_one_direction_declare_no_count() -> None:
    assert records(report(DEBIT, ":90D:1EUR2,30"), "mt942")[-1] == StatementTrailer(
        declared_debit=Decimal("2.30")
    )


@pytest.mark.parametrize("mark", ["EC", "ED"])
def test_expected_entries_are_set_aside_and_said(mark: str) -> None:
    found = records(report(DEBIT, f":61:2603190319{mark}5,00NTRFNONREF"), "mt942")

    [rejected] = [each for each in found if isinstance(each, RejectedLine)]
    assert rejected.line_no == 8
    assert rejected.reason.startswith(NOT_BOOKED)
    assert len([each for each in found if isinstance(each, ParsedLine)]) == 1


@pytest.mark.parametrize("end", ["-", "-}", "-\nBANKNL2A\n942\nBANKNL2A"])
def test_the_end_of_a_message_is_no_text_of_its_last_entry(end: str) -> None:
    data = report(ENTRY, ":86:last").decode().removesuffix("-\n") + end + "\n"
    found = records((data * 2).encode(), "mt942")

    assert [each.text for each in found if isinstance(each, ParsedLine)] == ["last", "last"]


@pytest.mark.parametrize("stamp", ["", "26", "2613191815", "٢٦٠٣١٩1815"])
def test_a_time_stamp_that_cannot_be_read_is_said(stamp: str) -> None:
    data = report(ENTRY).replace(b"2603191815+0100", stamp.encode())

    assert rejections(data, "mt942") == [(0, "bad_date")]


@pytest.mark.parametrize("total", ["1EUR", "EUR5,00", "1EUR1.234,56", ""])
def test_a_total_that_cannot_be_read_is_said(total: str) -> None:
    [(line_no, reason)] = rejections(report(ENTRY, f":90D:{total}"), "mt942")

    assert (line_no, reason) in ((0, "bad_total"), (0, "bad_amount"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (message(ENTRY), "not_this_format"),
        (report(ENTRY) + message(ENTRY), "mixed_messages"),
        (b"{2:I942}", "not_this_format"),
    ],
)
def test_a_statement_is_no_report(data: bytes, code: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        list(FORMATS["mt942"](io.BytesIO(data)))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (report(ENTRY), "mt942"),
        (b"{1:F01X}{2:I942X}{4:\n:20:A\n:25:1\n" + ENTRY.encode(), "mt942"),
        (b":20:A\n:25:1\n" + ENTRY.encode() + b"\n:90C:1EUR12,34\n", "mt942"),
        (b":20:A\n:25:1\n" + ENTRY.encode(), "mt940"),
        (b"942\n:20:A\n:25:1\n", "mt942"),
    ],
)
def test_the_first_field_of_its_own_tells_the_format(data: bytes, code: str) -> None:
    with io.BytesIO(data) as file:
        assert recognise(file) == code


@settings(max_examples=100, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 8), st.binary(max_size=6)), max_size=6
    )
)
def test_a_mutated_report_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    data = bytearray(report(ENTRY, ":86:free text", DEBIT, ":90D:1EUR0,34", ":90C:1EUR12,34"))
    for at, length, inserted in edits:
        data[at : at + length] = inserted
    try:
        found = records(bytes(data), "mt942")
    except ImportRefused:
        return
    assert isinstance(found[-1], StatementTrailer)
