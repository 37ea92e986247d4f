"""MT940 statements, rule by rule (formats.md §1). All messages here are made up."""

import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.importers import (
    FORMATS,
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.mt940_messages import (
    CLOSING,
    ENTRY,
    OPENING,
    lines,
    message,
    records,
    rejections,
    report,
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


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("NL34 RABO 0142 6233 93 EUR", "NL34RABO0142623393"),
        ("DE89370400440532013000EUR", "DE89370400440532013000"),
        ("MU43BOMM0101123456789101000MUR", "MU43BOMM0101123456789101000MUR"),
        ("12030000/0012345678", "12030000/0012345678"),
        ("/1234567", "1234567"),
        ("", ""),
    ],
)
def test_the_account_is_without_spaces_and_currency(account: str, expected: str) -> None:
    data = message(ENTRY).replace(b"DE89370400440532013000", account.encode())
    if account.endswith("MUR"):
        data = data.replace(b"EUR", b"MUR")

    [header] = [each for each in records(data) if isinstance(each, StatementHeader)]
    assert header.account == expected


@pytest.mark.parametrize(
    "wrap",
    [
        "{}",
        ":940:\r\n{}",
        "BANKNL2A\r\n940\r\nBANKNL2A\r\n{}",
        "This is an example\r\n- - - -\r\n\r\n{}",
        "\x01{{1:F01BANKDEFFAXXX0000000000}}{{2:I940BANKDEFFXXXXN}}{{4:\r\n{}}}{{5:}}\x03",
        "{{1:F01BANKDEFFAXXX0000000000}}\r\n{{2:O940}}\r\n{{4:{}}}\r\n\x1a",
    ],
)
def test_messages_come_bare_or_wrapped(wrap: str) -> None:
    data = wrap.format(message(ENTRY).decode().rstrip()).encode()
    one = records(message(ENTRY))

    with io.BytesIO(data * 2) as file:
        assert recognise(file) == "mt940"
    found = records(data * 2)
    assert [type(each) for each in found] == [type(each) for each in one] * 2
    assert [each.net for each in found if isinstance(each, ParsedLine)] == [Decimal("12.34")] * 2


def test_pages_are_statements_that_continue_one_another() -> None:
    first = message(ENTRY, closing=":62M:C260319EUR112,34")
    second = message(ENTRY, opening=":60M:C260319EUR112,34", closing=":62F:C260319EUR124,68")
    found = records(first + second.replace(b"007/001", b"007/002"))

    assert [each.sequence for each in found if isinstance(each, StatementHeader)] == [
        "00007/001",
        "00007/002",
    ]
    trailers = [each for each in found if isinstance(each, StatementTrailer)]
    assert trailers[0].closing == trailers[1].opening == Decimal("112.34")


def test_one_message_may_hold_many_accounts() -> None:
    one = message(ENTRY).decode().removesuffix("-\r\n")
    other = one.partition("\r\n")[2].replace("DE89370400440532013000", "1").replace("EUR", "USD")
    found = records((one + other).encode())

    headers = [each for each in found if isinstance(each, StatementHeader)]
    assert [(each.account, each.currency) for each in headers] == [
        ("DE89370400440532013000", "EUR"),
        ("1", "USD"),
    ]
    assert [each.currency for each in found if isinstance(each, ParsedLine)] == ["EUR", "USD"]


def test_an_overdraft_is_negative() -> None:
    trailer = records(message(opening=":60F:D260318EUR5,", closing=":62F:D260319EUR5,"))[-1]

    assert isinstance(trailer, StatementTrailer)
    assert (trailer.opening, trailer.closing) == (Decimal(-5), Decimal(-5))


@pytest.mark.parametrize(
    ("opening", "closing", "reasons"),
    [
        (OPENING, ":64:C260319EUR1,", ["no_closing_balance"]),
        (":64:C260319EUR1,", CLOSING, ["bad_currency", "no_opening_balance"]),
        (OPENING, ":62F:C260319EUR1 12,34", ["bad_amount"]),
        (OPENING, ":62F:C261319EUR112,34", ["bad_date"]),
        (OPENING, ":62F:X260319EUR112,34", ["bad_balance"]),
        (OPENING, ":62F:C260319USD112,34", ["bad_currency"]),
        (OPENING, f"{CLOSING}\r\n:62M:C260319EUR1,", ["second_balance"]),
        (f"{OPENING}\r\n{OPENING}", CLOSING, ["second_balance"]),
        (":60F:C261318EUR1,", CLOSING, ["bad_date"]),
        (":60F:gone", CLOSING, ["bad_balance", "bad_currency"]),
    ],
)
def test_balances_that_are_wrong_or_missing_are_said(
    opening: str, closing: str, reasons: list[str]
) -> None:
    found = rejections(message(ENTRY, opening=opening, closing=closing))

    assert [reason for _, reason in found] == reasons
    assert {line_no for line_no, _ in found} <= {0, 5}


def refusal(data: bytes, code: str = "mt940") -> str:
    with pytest.raises(ImportRefused) as refused:
        list(FORMATS[code](io.BytesIO(data)))
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_this_format"),
        (b"a,b\n1,2\n", "not_this_format"),
        (report(ENTRY), "not_this_format"),
        (message(ENTRY) + report(ENTRY), "mixed_messages"),
        (message(ENTRY, "te\0xt"), "nul_character"),
        (message(ENTRY) + b"x" * (3 << 20), "line_too_long"),
        (message(ENTRY, ":86:x", *["y" * 65] * 2000), "field_too_large"),
        (message(ENTRY, *[":86:" + "y" * 65] * 2000), "field_too_large"),
        (message(ENTRY, ":86:caf\u00e9") + b"\x81", "undecodable"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_of_banks_is_read(encoding: str) -> None:
    data = (
        message(ENTRY, ":86:166?20SVWZ+Miete?32J\u00fcrgen M\u00fcller").decode().encode(encoding)
    )

    with io.BytesIO(data) as file:
        assert recognise(file) == "mt940"
    [found] = [each for each in records(data) if isinstance(each, ParsedLine)]
    assert found.counterparty == "J\u00fcrgen M\u00fcller"


def test_a_truncated_statement_is_said_and_has_no_wrong_amount() -> None:
    data = message(*[ENTRY, ":86:166?20EREF+E1?32Name"] * 20)
    # Cut within the last line, the closing balance itself may still be one.
    for size in range(data.index(b":61:"), data.index(b":62F:") + len(":62F:C260319EUR")):
        found = records(data[:size])
        nets = {each.net for each in found if isinstance(each, ParsedLine)}
        assert nets <= {Decimal("12.34")}
        assert [each for each in found if isinstance(each, RejectedLine)], size


@settings(max_examples=150, deadline=None)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 8), st.binary(max_size=6)), max_size=6
    )
)
def test_a_mutated_statement_is_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    german = ":86:166?00X?20EREF+E1 SVWZ+text?32Name"
    body = (ENTRY, german, ENTRY, ":86:/EREF/E2//REMI/USTD//x/", ":61:260319RD5,NTRFX//BK12345678")
    data = bytearray(message(*body) + message(ENTRY))
    for at, length, inserted in edits:
        data[at : at + length] = inserted
    try:
        found = records(bytes(data))
    except ImportRefused:
        return
    assert isinstance(found[0], StatementHeader)
    assert isinstance(found[-1], StatementTrailer)
