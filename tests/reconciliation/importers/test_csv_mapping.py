"""Mappings that say too little, too much or nonsense; and files that mean harm."""

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.importers import FORMATS, ImportRefused, ParsedLine, Record
from reconciliation.importers.csv_mapping import MappingInvalid, read_mapping
from tests.reconciliation.importers.bank_mappings import MAPPINGS, mapping

GOOD: dict[str, Any] = {
    "currency": "EUR",
    "date_format": "YYYY-MM-DD",
    "columns": {"booked_on": "Date", "amount": "Amount"},
}
TWO = {"booked_on": "Date", "credit": "In", "debit": "Out"}
MIB = 1 << 20


@pytest.mark.parametrize("text", MAPPINGS.values())
def test_the_mappings_of_real_banks_are_valid(text: str) -> None:
    assert read_mapping(mapping(text)).columns["booked_on"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delimeter": ";"}, r"csv\.delimeter is unknown; known are encoding, delimiter"),
        ({"delimiter": 1}, r"csv\.delimiter must be a str"),
        ({"delimiter": ";;"}, r"csv\.delimiter must be one character"),
        ({"delimiter": ""}, r"csv\.delimiter must be one character"),
        ({"quote": "\n"}, r"csv\.quote must be one character"),
        ({"quote": ","}, r"csv\.delimiter must differ from quote"),
        ({"header": 1}, r"csv\.header must be a bool"),
        ({"skip_lines": -1}, r"csv\.skip_lines is negative"),
        ({"skip_lines": True}, r"csv\.skip_lines must be a int"),
        ({"encoding": "latin-99"}, r"csv\.encoding 'latin-99' is no text encoding"),
        ({"encoding": "rot13"}, r"csv\.encoding 'rot13' is no text encoding"),
        ({"account": "a\0"}, r"csv\.account holds a NUL"),
        ({"decimal": ";"}, r'csv\.decimal is "\." or ","'),
        ({"decimal": ",", "thousands": ","}, r"csv\.thousands is one of .*, and not decimal"),
        ({"symbols": "€"}, r"csv\.symbols must be a list"),
        ({"symbols": [""]}, r"csv\.symbols holds an empty text"),
        ({"symbols": [1]}, r"csv\.symbols must be a list of texts"),
        ({"date_format": "%d.%m.%Y"}, r"csv\.date_format '%d.%m.%Y': a date needs one of YYYY"),
        ({"date_format": "DD.MM.MM.YYYY"}, r"csv\.date_format .*: a date needs"),
        ({"date_format": "*DD.MM.YYYY"}, r"csv\.date_format .*: \* stands for the rest"),
        ({"value_date_format": "DD"}, r"csv\.value_date_format 'DD': a date needs"),
        ({"months": ["a"]}, r"csv\.months are twelve names"),
        ({"order": "random"}, r"csv\.order is one of oldest_first, newest_first"),
        ({"sign": "agrees"}, r"csv\.sign goes with direction"),
        ({"columns": TWO, "sign": "x"}, r"csv\.sign is one of agrees, ignored, multiplies"),
        ({"currency": ""}, r"csv\.currency is missing"),
        ({"currency": "Euro"}, r"csv\.currency 'Euro' is not a currency code"),
        ({"currency_names": {"€": 1}}, r"csv\.currency_names\.€ must be a text"),
        ({"columns": {}}, r"csv\.columns\.booked_on is missing"),
        ({"columns": {"booked_on": 1}}, r"csv\.columns need either amount, or credit and debit"),
        ({"columns": {**TWO, "amount": 3}}, r"csv\.columns need either amount, or credit"),
        ({"columns": {"booked_on": 1, "debit": 2}}, r"csv\.columns need either amount, or"),
        ({"columns": {"date": 1}}, r"csv\.columns\.date is unknown; known are booked_on"),
        ({"columns": {"booked_on": 0}}, r"csv\.columns\.booked_on must be the name of a column"),
        ({"columns": {"booked_on": True}}, r"csv\.columns\.booked_on must be the name"),
        ({"columns": {"booked_on": ["a"]}}, r"csv\.columns\.booked_on must be the name"),
        ({"columns": {"text": ["a", ""]}}, r"csv\.columns\.text must be the name"),
        ({"header": False}, r"csv\.header is false, so column 'Amount' needs its number"),
        ({"skip": ["Total"]}, r"csv\.skip\[1\] must be \{ column"),
        ({"skip": [{"column": 1}]}, r"csv\.skip\[1\] must be \{ column"),
        ({"skip": [{"column": 1, "was": []}]}, r"csv\.skip\[1\] must be \{ column"),
        ({"skip": [{"column": 1, "is": "a"}]}, r"csv\.skip\[1\]\.is must be a list of texts"),
        ({"pending": [{"column": 1, "begins": [""]}]}, r"csv\.pending\[1\]\.begins holds an empty"),
        ({"stop_at": [" "]}, r"csv\.stop_at holds an empty text"),
        ({"direction": {}}, r"csv\.direction tells no words"),
        ({"direction": {"credit": ["C"], "plus": ["D"]}}, r"csv\.direction\.plus is unknown"),
        ({"direction": {"credit": ["C"], "debit": ["c"]}}, r"csv\.direction\.debit 'c' already"),
        ({"columns": TWO, "direction": {"credit": ["C"]}}, r"csv\.direction goes with"),
        ({"kinds": {"charge": ["a"]}}, r"csv\.kinds\.column is missing"),
        ({"kinds": {"column": 1, "sale": ["a"]}}, r"csv\.kinds\.sale is unknown; known are charge"),
        ({"labels": {"balance": "x"}}, r"csv\.labels\.balance is unknown; known are account"),
        ({"labels": {"opening": " "}}, r"csv\.labels\.opening must be a text"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingInvalid, match=message):
        read_mapping({**GOOD, **change})


@pytest.mark.parametrize("key", ["date_format", "columns", "currency"])
def test_what_is_missing_is_named(key: str) -> None:
    with pytest.raises(MappingInvalid, match=rf"csv\.{key} is missing"):
        read_mapping({name: value for name, value in GOOD.items() if name != key})


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "delimiter", "skip", "direction", "labels", "months", "kinds"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["column", "is", "credit", "booked_on", "amount"]), inner
                )
            ),
            max_leaves=4,
        ),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_data_is_a_mapping_or_is_refused_as_one(change: dict[str, Any]) -> None:
    with suppress(MappingInvalid):
        assert read_mapping({**GOOD, **change}).columns["booked_on"]


# --- Hostile files --------------------------------------------------------------------------------


def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(ImportRefused) as refused:
        list(FORMATS["csv"](io.BytesIO(data), {**GOOD, **options}))
    return refused.value.code


def test_without_a_mapping_or_with_a_wrong_one_nothing_is_read() -> None:
    with pytest.raises(ImportRefused, match="no_mapping"):
        list(FORMATS["csv"](io.BytesIO(b"Date,Amount\n")))
    assert refusal(b"Date,Amount\n", order="x") == "bad_mapping"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "missing_column"),
        (b"Date,Amount\n2026-03-19,1\0\n", "nul_character"),
        ("Date,Amount\n".encode("utf-16-le"), "nul_character"),
        (b"Date,Amount\n" + b"x" * 3 * MIB, "line_too_long"),
        (b'Date,Amount\n"2026-03-19,1\n' + b"x\n" * 100_000, "malformed_csv"),
        (b"\xef\xbb\xbfDate,Amount\n\xff", "undecodable"),
        (b"x,y\n" * 300 + b"Date,Amount\n", "missing_column"),
        (b"<?xml version='1.0'?><Date>Amount</Date>", "missing_column"),
    ],
)
def test_files_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_too_many_accounts_row_by_row_are_refused() -> None:
    names = {"booked_on": "Date", "amount": "Amount", "account": "Account"}
    rows = "".join(f"2026-03-19,1,A{number % 150}\n" for number in range(300))
    data = f"Date,Amount,Account\n{rows}".encode()

    assert refusal(data, columns=names) == "mixed_accounts"
    many = "".join(f"2026-03-19,1,A{number}\n" for number in range(10_001))
    assert refusal(f"Date,Amount,Account\n{many}".encode(), columns=names) == "too_many_accounts"


def found_in(data: bytes, options: dict[str, Any]) -> list[Record]:
    found: list[Record] = []
    try:
        found.extend(FORMATS["csv"](io.BytesIO(data), options))
    except ImportRefused:
        found.append(None)  # type: ignore[arg-type]
    return found


FIXTURE = (
    "Konto;Datum;Betrag;S/H;Text;Saldo\r\n"
    + "\r\n".join(f'DE{n % 2};19.03.2026;1.00{n},50;H;"a;""b""\n";{n}' for n in range(5))
    + "\r\nSumme;;5,00;;;\r\n"
).encode("cp1252")
FIXTURE_MAPPING = mapping(
    """
    delimiter = ";"
    decimal = ","
    thousands = "."
    currency = "EUR"
    date_format = "DD.MM.YYYY"
    stop_at = ["Summe"]
    continues = [{ column = "Datum", is = [""] }]
    pending = [{ column = "Text", begins = ["vorgemerkt"] }]
    columns = { account = "Konto", booked_on = "Datum", amount = "Betrag", text = "Text" }
    direction = { column = "S/H", credit = ["H"], debit = ["S"] }
    labels = { credit = "Summe" }
    """
)


@given(
    st.lists(st.tuples(st.integers(0, len(FIXTURE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(FIXTURE)),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_a_damaged_file_never_breaks_the_parser(
    flips: list[tuple[int, int]], size: int, is_cut: bool
) -> None:
    data = bytearray(FIXTURE)
    for place, value in flips:
        data[place] = value
    found = found_in(bytes(data[:size] if is_cut else data + FIXTURE[:size]), FIXTURE_MAPPING)

    for line in found:
        if isinstance(line, ParsedLine):
            assert line.gross - line.fee == line.net


def test_a_truncated_file_yields_a_part_of_the_truth() -> None:
    mapping_without_labels = {k: v for k, v in FIXTURE_MAPPING.items() if k != "labels"}
    truth = {r for r in found_in(FIXTURE, mapping_without_labels) if isinstance(r, ParsedLine)}
    assert len(truth) == 5

    for size in range(len(FIXTURE)):
        found = found_in(FIXTURE[:size], mapping_without_labels)
        told = {(r.line_no, r.booked_on, r.net) for r in found if isinstance(r, ParsedLine)}
        assert told <= {(line.line_no, line.booked_on, line.net) for line in truth}
