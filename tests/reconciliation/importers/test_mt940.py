"""Entries of MT940 messages: marks, amounts, days, texts and ids."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from tests.reconciliation.importers.mt940_messages import (
    CLOSING,
    ENTRY,
    lines,
    message,
    records,
)


def test_a_statement_is_header_lines_trailer() -> None:
    assert records(message(ENTRY)) == [
        StatementHeader("DE89370400440532013000", "EUR", "STM7", "00007/001", None, None),
        ParsedLine(
            line_no=5,
            kind="entry",
            external_id="",
            booked_on=date(2026, 3, 19),
            value_on=date(2026, 3, 19),
            currency="EUR",
            gross=Decimal("12.34"),
            fee=Decimal(0),
            net=Decimal("12.34"),
            presentment_amount=None,
            presentment_currency="",
            reference="",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty="",
            text="",
            references=(),
        ),
        StatementTrailer(
            opening=Decimal(100),
            opening_on=date(2026, 3, 18),
            closing=Decimal("112.34"),
            closing_on=date(2026, 3, 19),
        ),
    ]


@pytest.mark.parametrize(
    ("mark", "net", "is_reversal"),
    [
        ("C", "5.00", False),
        ("D", "-5.00", False),
        ("RC", "-5.00", True),
        ("RD", "5.00", True),
        ("CR", "5.00", False),  # C and the third letter of EUR
        ("DR", "-5.00", False),
        ("RCR", "-5.00", True),
        ("RDR", "5.00", True),
        ("DD", "-5.00", False),  # third letter of MKD
        ("C ", "5.00", False),
    ],
)
def test_the_mark_is_the_sign_and_a_reversal_turns_it(
    mark: str, net: str, is_reversal: bool
) -> None:
    [found] = lines(f":61:2603190319{mark}5,00NTRFNONREF")

    assert (found.net, found.is_reversal) == (Decimal(net), is_reversal)


@pytest.mark.parametrize(
    ("days", "value_on", "booked_on"),
    [
        ("2512310102", date(2025, 12, 31), date(2026, 1, 2)),
        ("2601021231", date(2026, 1, 2), date(2025, 12, 31)),
        ("260319", date(2026, 3, 19), date(2026, 3, 19)),
        ("260319    ", date(2026, 3, 19), date(2026, 3, 19)),
        ("2602300301", date(2026, 2, 28), date(2026, 3, 1)),
        ("2402290229", date(2024, 2, 29), date(2024, 2, 29)),
        ("2611311201", date(2026, 11, 30), date(2026, 12, 1)),
        ("9912310103", date(1999, 12, 31), date(2000, 1, 3)),
    ],
)
def test_days_have_the_nearest_year_and_end_with_their_month(
    days: str, value_on: date, booked_on: date
) -> None:
    [found] = lines(f":61:{days}C5,00NTRFNONREF")

    assert (found.value_on, found.booked_on) == (value_on, booked_on)


@pytest.mark.parametrize(
    ("amount", "net"),
    [
        ("35122,", "35122"),
        ("0,01", "0.01"),
        ("000000000400,00", "400.00"),
        ("500", "500"),
        ("12.34", "12.34"),
        ("12,34 ", "12.34"),
        (",5", "0.5"),
        ("0,00", "0"),
    ],
)
def test_amounts_are_exact_as_read(amount: str, net: str) -> None:
    assert lines(f":61:2603190319C{amount}NTRFNONREF")[0].net == Decimal(net)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("2613010301C5,00NTRFNONREF", "bad_date"),
        ("2603001301C5,00NTRFNONREF", "bad_date"),
        ("2603320301C5,00NTRFNONREF", "bad_date"),
        ("2603190000C5,00NTRFNONREF", "bad_date"),
        ("26031C5,00NTRFNONREF", "bad_date"),
        ("٢٦٠٣١٩C5,00NTRFNONREF", "bad_date"),
        ("2603190319X5,00NTRFNONREF", "bad_direction"),
        ("26031903C5,00NTRFNONREF", "bad_direction"),
        ("2603190319C1.234,56NTRFNONREF", "bad_amount"),
        ("2603190319C1.234NTRFNONREF", "bad_amount"),
        ("2603190319C1,234NTRFNONREF", "bad_amount"),
        ("2603190319C1 234,56NTRFNONREF", "bad_amount"),
        ("2603190319C-5,00NTRFNONREF", "bad_amount"),
        ("2603190319C,NTRFNONREF", "bad_amount"),
        ("2603190319CNTRFNONREF", "bad_amount"),
        ("2603190319C5,0", "bad_amount"),  # cut off, or is it?
        ("2603190319C" + "1" * 21 + "NTRFNONREF", "bad_amount"),
        ("", "bad_date"),
    ],
)
def test_what_cannot_be_read_is_rejected_and_the_rest_is_read(entry: str, reason: str) -> None:
    found = records(message(ENTRY, f":61:{entry}", ":86:text", "more", ENTRY))

    assert [type(each) for each in found[1:-1]] == [ParsedLine, RejectedLine, ParsedLine]
    rejected = found[2]
    assert isinstance(rejected, RejectedLine)
    assert (rejected.line_no, rejected.reason.partition(":")[0]) == (6, reason)
    assert rejected.raw == f":61:{entry}\r\n:86:text\r\nmore"


def test_three_decimals_are_read_where_the_currency_has_them() -> None:
    entry = ":61:2603190319C1,234NTRFNONREF"
    found = records(message(entry, opening=":60F:C260318KWD0,000", closing=":62F:C260319KWD1,234"))

    assert [each.net for each in found if isinstance(each, ParsedLine)] == [Decimal("1.234")]
    assert found[-1].closing == Decimal("1.234")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rest", "external_id", "references"),
    [
        ("NTRFNONREF", "", ()),
        ("NTRFEREF//BK00000001", "BK00000001", ("BK00000001",)),
        ("NTRFKREF+//2016021783252833", "2016021783252833", ("2016021783252833",)),
        ("FMSC01916//NONREF", "", ("01916",)),
        ("NTRFINV-7//1234", "", ("INV-7", "1234")),
        ("NCHGFees according//to advice", "", ("Fees according", "to advice")),
        ("NTRFA/1//O/341241774", "O/341241774", ("A/1", "O/341241774")),
        ("NTRF//0000000000", "", ()),
        ("NDV NONREF", "", ()),
        ("NONREF", "", ()),  # a dialect without types
        ("NSTON", "", ()),
        ("MCI0NONREF//055001022000001", "055001022000001", ("055001022000001",)),
    ],
)
def test_only_a_bank_reference_that_is_an_id_identifies_the_line(
    rest: str, external_id: str, references: tuple[str, ...]
) -> None:
    [found] = lines(f":61:2603190319C5,00{rest}")

    assert (found.external_id, found.references) == (external_id, references)


def test_an_entry_has_no_text_one_or_several_and_supplementary_details() -> None:
    found = lines(ENTRY, ENTRY, "/OCMT/USD14,00/", ":86:one", ":86:two")

    assert [each.text for each in found] == ["", "one two /OCMT/USD14,00/"]
    assert [each.line_no for each in found] == [5, 6]


def test_texts_around_the_balances_are_no_entrys() -> None:
    found = records(message(":86:above", ENTRY, closing=CLOSING + "\r\n:64:C260319EUR1,\r\n:86:z"))

    assert [each.text for each in found if isinstance(each, ParsedLine)] == [""]


def test_declared_totals_are_told() -> None:
    closing = f"{CLOSING}\r\n:65:C260320EUR1,\r\n:86:/SUM/4/3/134,46/36,58/"
    trailer = records(message(ENTRY, closing=closing))[-1]

    assert isinstance(trailer, StatementTrailer)
    assert trailer.declared_count == 7
    assert (trailer.declared_debit, trailer.declared_credit) == (
        Decimal("134.46"),
        Decimal("36.58"),
    )
