"""CSV exports read by a mapping, rule by rule (formats.md §5). All files here are made up."""

import io
from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
    recognise,
)
from tests.reconciliation.importers.csv_reading import (
    HEADER,
    MAPPING,
    columns,
    lines,
    records,
    rejected,
)


def test_a_row_is_a_line() -> None:
    text = (
        "Id,Booked,Value,Name,Ref,Other,Money,Ccy,Seen,In,Text,More\n"
        "7,2026-03-19,2026-03-20, Ada  L ,R-1,X-1,-12.30,eur,14.00,USD,two\u00a0 words,\n"
    )
    names = {
        **{"external_id": "Id", "booked_on": "Booked", "value_on": "Value"},
        **{"counterparty": "Name", "reference": "Ref", "references": ["Other", "More"]},
        **{"amount": "Money", "currency": "Ccy", "text": ["Text", "More"]},
        **{"foreign_amount": "Seen", "foreign_currency": "In"},
    }

    assert records(text, columns=names) == [
        StatementHeader("", "EUR", "", "", None, None),
        ParsedLine(
            line_no=2,
            kind="entry",
            external_id="7",
            booked_on=date(2026, 3, 19),
            value_on=date(2026, 3, 20),
            currency="EUR",
            gross=Decimal("-12.30"),
            fee=Decimal(0),
            net=Decimal("-12.30"),
            presentment_amount=Decimal("-14.00"),
            presentment_currency="USD",
            reference="R-1",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty="Ada L",
            text="two words",
            references=("X-1",),
        ),
        StatementTrailer(),
    ]


def test_fees_are_taken_from_the_amount_and_checked_with_the_net() -> None:
    text = "Date,Amount,Fee,Net\n2026-03-19,10,1,9\n2026-03-19,10,-1,11\n2026-03-19,10,1,10\n"
    names = {"booked_on": "Date", "amount": "Amount", "fee": "Fee", "net": "Net"}
    found = records(text, columns=names)
    told = [(r.gross, r.fee, r.net) for r in found if isinstance(r, ParsedLine)]

    assert told == [(10, 1, 9), (10, -1, 11)]
    assert [r.reason[:7] for r in found if isinstance(r, RejectedLine)] == ["bad_sum"]
    [line] = lines(
        "Date,Amount,Fee\n2026-03-19,10,-1\n",
        fee_inverted=True,
        columns={"booked_on": "Date", "amount": "Amount", "fee": "Fee"},
    )
    assert (line.fee, line.net) == (1, 9)


def test_a_processors_rows_have_kinds() -> None:
    kinds = {"column": "Text", "charge": ["Payment"], "refund": ["Refund"]}
    found = records(
        f"{HEADER}2026-03-19,5,payment\n2026-03-19,-5,Refund\n2026-03-19,1,?\n", kinds=kinds
    )

    assert [r.kind for r in found if isinstance(r, ParsedLine)] == ["charge", "refund"]
    assert [r.reason[:8] for r in found if isinstance(r, RejectedLine)] == ["bad_kind"]


def test_the_counterparty_is_the_other_side() -> None:
    names = columns(payer="From", payee="To")
    found = lines(
        "Date,Amount,Text,From,To\n2026-03-19,1,x,Ada,Us\n2026-03-19,-1,x,Us,Bob\n", columns=names
    )

    assert [line.counterparty for line in found] == ["Ada", "Bob"]


# --- Rows ----------------------------------------------------------------------------------------


def test_column_names_are_found_below_account_data_and_compared_loosely() -> None:
    text = "Account,DE1\n\nDate,Amount\nsomething,else\n DATE ,amount,  Text,,\n2026-03-19,1,x,,\n"

    [line] = lines(text)
    assert line.line_no == 6


def test_a_file_without_the_named_columns_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(ImportRefused, match="missing_column: CSV: no row of names with 'Amount'"):
        records("Date,Betrag,Text\n2026-03-19,1,x\n")
    with pytest.raises(ImportRefused, match="duplicate_column: CSV: 'amount' twice"):
        records("Date,Amount,Text,Amount\n2026-03-19,1,x,1\n")


def test_columns_may_be_told_by_number_with_and_without_names() -> None:
    numbers = {"booked_on": 1, "amount": 2, "text": 3}
    row = "2026-03-19,1,x\n"

    assert len(lines(row, header=False, columns=numbers)) == 1
    assert len(lines("skipped\n" + row, header=False, skip_lines=1, columns=numbers)) == 1
    assert len(lines(HEADER + row, columns=numbers)) == 1


def test_a_row_of_another_width_is_rejected_unless_it_is_padded() -> None:
    text = f"{HEADER}2026-03-19,1,a\n2026-03-19,1,a,,,\n2026-03-19,1,a,b\n2026-03-19,1\n"

    assert [(line.line_no, line.reason[:7]) for line in rejected(text)] == [
        (4, "bad_row"),
        (5, "bad_row"),
    ]
    assert [line.line_no for line in rejected(text, ragged_rows=True)] == [4]


def test_cells_may_hold_line_breaks_quotes_and_delimiters() -> None:
    text = 'Date;Amount;Text\n"2026-03-19";1;"two\r\nlines; and ""quotes"""\n2026-03-20;2;x\n'
    found = lines(text, delimiter=";")

    assert [(line.line_no, line.text) for line in found] == [
        (2, 'two lines; and "quotes"'),
        (4, "x"),
    ]


def test_other_quotes_and_escapes() -> None:
    assert lines(f"{HEADER}2026-03-19,1,'a,b'\n", quote="'")[0].text == "a,b"
    assert lines(f'{HEADER}2026-03-19,1,5" pipe\n', quote="")[0].text == '5" pipe'
    assert lines(f'{HEADER}2026-03-19,1,"a\\"b"\n', escape="\\")[0].text == 'a"b'


def test_rows_left_out_pending_and_booked() -> None:
    text = (
        f"{HEADER}2026-03-19,1,done\n2026-03-19,2,Pending since\n2026-03-19,3,reverted\n"
        "2026-03-19,4,done\nTotal,10,\nafterwards\n"
    )
    found = records(
        text,
        pending=[{"column": "Text", "begins": ["pending"]}],
        skip=[{"column": "Text", "is": ["Reverted"]}],
        stop_at=["total"],
    )
    booked_only = rejected(text, booked=[{"column": "Text", "is": ["done"]}], stop_at=["Total"])

    assert [r.net for r in found if isinstance(r, ParsedLine)] == [1, 4]
    assert [r.line_no for r in found if isinstance(r, RejectedLine)] == [3]
    assert [(r.line_no, r.reason.partition(":")[0]) for r in booked_only] == [
        (3, "not_booked"),
        (4, "not_booked"),
    ]


def test_rows_that_continue_the_text_above() -> None:
    text = f"{HEADER},,orphan\n2026-03-19,1,a\n,,b\n,,c\n2026-03-20,2,d\n,5,e\n"
    found = records(text, continues=[{"column": "Date", "is": [""]}])

    assert [r.text for r in found if isinstance(r, ParsedLine)] == ["a b c", "d"]
    assert [r.line_no for r in found if isinstance(r, RejectedLine)] == [2, 7]


# --- Recognition and encodings -------------------------------------------------------------------


def test_csv_is_recognised_by_its_columns_where_the_source_allows_it() -> None:
    file = io.BytesIO(f"preamble\n{HEADER}".encode())
    file.seek(5)

    assert recognise(file, ["camt.053", "csv"], {"csv": MAPPING}) == "csv"
    assert file.tell() == 5
    for allowed, options in [(["camt.053"], {"csv": MAPPING}), (["csv"], {})]:
        with pytest.raises(ImportRefused, match="unknown_format"):
            recognise(file, allowed, options)
    with pytest.raises(ImportRefused, match="unknown_format: none of csv"):
        recognise(io.BytesIO(b"Date,Text\n"), ["csv"], {"csv": MAPPING})


def test_a_format_with_a_signature_wins_and_is_refused_where_it_is_not_allowed() -> None:
    names = {"booked_on": "created", "amount": "net", "currency": "currency"}
    text = "balance_transaction_id,created,available_on,currency,gross,fee,net,reporting_category\n"
    file, options = io.BytesIO(text.encode()), {"csv": {**MAPPING, "columns": names}}
    code = "stripe.payout_reconciliation"

    assert recognise(file, [code, "csv"], options) == code
    assert recognise(file, ["csv"], options) == "csv"
    with pytest.raises(ImportRefused, match=f"format_not_allowed: {code} is none of camt.053"):
        recognise(file, ["camt.053"], {})


def test_without_column_names_rows_must_read() -> None:
    numbers = {"booked_on": 1, "amount": 2}
    options = {"csv": {**MAPPING, "header": False, "columns": numbers}}

    assert recognise(io.BytesIO(b"?,?\n2026-03-19,1\n"), ["csv"], options) == "csv"
    for data in (b"19.03.2026,1\n", b"", b"\x00\x01"):
        with pytest.raises(ImportRefused):
            recognise(io.BytesIO(data), ["csv"], options)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "cp1252"),
        ("utf-8-sig", "cp1252"),
        ("utf-16", "cp1252"),
        ("utf-16-le", "utf-16-le"),
        *[("cp1250", "windows-1250"), ("utf-8", "utf-16-le-not-this")][:1],
    ],
)
def test_encodings(encoding: str, declared: str) -> None:
    data = f"{HEADER}2026-03-19,1,Žluťoučký kůň\n".encode(encoding)

    assert lines(data, encoding=declared)[0].text == "Žluťoučký kůň"


def test_cyrillic_and_the_usual_western_encoding() -> None:
    assert lines(f"{HEADER}2026-03-19,1,рубль\n".encode("cp1251"), encoding="windows-1251")
    assert lines(f"{HEADER}2026-03-19,1,Müller\n".encode("cp1252"))[0].text == "Müller"
    with pytest.raises(ImportRefused, match="undecodable"):
        records(f"{HEADER}2026-03-19,1,x\n".encode() + b"\x98", encoding="windows-1251")
