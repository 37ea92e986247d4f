"""MT940 files as a whole: messages, pages, balances, refusals, encodings, truncation."""

import io
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
    message,
    records,
    rejections,
    report,
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
