"""CSV exports read by a mapping, rule by rule (formats.md §5). All files here are made up."""

import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

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

COLUMNS = {"booked_on": "Date", "amount": "Amount", "text": "Text"}
MAPPING: dict[str, Any] = {"currency": "EUR", "date_format": "YYYY-MM-DD", "columns": COLUMNS}
HEADER = "Date,Amount,Text\n"


def records(text: str | bytes, **options: Any) -> list[Record]:
    data = text.encode() if isinstance(text, str) else text
    return list(FORMATS["csv"](io.BytesIO(data), {**MAPPING, **options}))


def lines(text: str | bytes, **options: Any) -> list[ParsedLine]:
    found = records(text, **options)
    assert not [record for record in found if isinstance(record, RejectedLine)]
    return [record for record in found if isinstance(record, ParsedLine)]


def rejected(text: str | bytes, **options: Any) -> list[RejectedLine]:
    return [r for r in records(text, **options) if isinstance(r, RejectedLine)]


def trailer(text: str, **options: Any) -> StatementTrailer:
    last = records(text, **options)[-1]
    assert isinstance(last, StatementTrailer)
    return last


def columns(**more: Any) -> dict[str, Any]:
    return {**COLUMNS, **more}


def net(cell: str, **options: Any) -> Decimal | str:
    """What an amount is read as, or the code of its rejection."""
    [_, record, _] = records(f'{HEADER}2026-03-19,"{cell}",x\n', **options)
    if isinstance(record, RejectedLine):
        return record.reason.partition(":")[0]
    assert isinstance(record, ParsedLine)
    return record.net


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


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("12.30", "12.30"),
        ("+12.30", "12.30"),
        ("-12.30", "-12.30"),
        ("\u221212.30", "-12.30"),
        ("12.30-", "-12.30"),
        ("(12.30)", "-12.30"),
        ("1,234.50", "1234.50"),
        ("1,23,456.50", "123456.50"),
        ("1234.50", "1234.50"),
        ("$12", "12"),
        ("-$12.30", "-12.30"),
        ("$-12.30", "-12.30"),
        ("+ $ 12.30", "12.30"),
        ("12.30 usd", "12.30"),
        ("($1,000.00)", "-1000.00"),
        ("'12.30", "12.30"),
        (".5", "0.5"),
    ],
)
def test_amounts_with_a_point(cell: str, amount: str) -> None:
    assert net(cell, thousands=",", symbols=["$", "USD"]) == Decimal(amount)


@pytest.mark.parametrize(
    ("thousands", "cell"),
    [
        (".", "1.234.567,8"),
        (" ", "1 234 567,8"),
        (" ", "1\xa0234\u202f567,8"),
        ("'", "1'234'567,8"),
        ("'", "1’234’567,8"),
        ("", "1234567,8"),
    ],
)
def test_amounts_with_a_comma(thousands: str, cell: str) -> None:
    assert net(cell, decimal=",", thousands=thousands) == Decimal("1234567.8")


@pytest.mark.parametrize(
    "cell",
    [
        "",
        ".",
        "-",
        "1,2,3",
        "1,23",
        "1,234,5",
        "€9",
        "1E+05",
        "٣",
        "--1",
        "-(1)",
        "(1",
        "1)",
        "-1-",
        "12.30 CR",
        "1 2",
        "1.2.3",
        "NaN",
        "1" * 21,
    ],
)
def test_what_is_no_amount_of_the_mapping_is_rejected(cell: str) -> None:
    assert net(cell, thousands=",") == "bad_amount"


@pytest.mark.parametrize(
    ("pattern", "cell", "day"),
    [
        ("DD.MM.YYYY", "03.04.2026", (2026, 4, 3)),
        ("MM/DD/YYYY", "03/04/2026", (2026, 3, 4)),
        ("D/M/YY", "3/4/26", (2026, 4, 3)),
        ("DD.MM.YY", "03.04.99", (1999, 4, 3)),
        ("YYYY.MM.DD.", "2019.04.19.", (2019, 4, 19)),
        ("YYYYMMDD", "20200213", (2020, 2, 13)),
        ("YYYYMMDD*", "20091224120000[0:GMT]", (2009, 12, 24)),
        ("DD-MON-YYYY", "12-Dec-2019", (2019, 12, 12)),
        ("D MON YYYY", "7 märz 2026", (2026, 3, 7)),
        ("D MON YYYY", "7 déc. 2026", (2026, 12, 7)),
        ("MON D, YYYY", "September 7, 2026", (2026, 9, 7)),
        ("YYYY年M月D日", "2026年3月7日", (2026, 3, 7)),
        ("YYYY-MM-DD", "2018-02-25 12:34:56 +0000", (2018, 2, 25)),
        ("YYYY-MM-DD", "2018-02-25T23:59:59.123Z", (2018, 2, 25)),
        ("DD/MM/YYYY", "25/02/2018 9:15 PM", (2018, 2, 25)),
    ],
)
def test_days_as_printed(pattern: str, cell: str, day: tuple[int, int, int]) -> None:
    [line] = lines(f'{HEADER}"{cell}",1,x\n', date_format=pattern)

    assert line.booked_on == date(*day)


def test_month_names_may_be_told() -> None:
    months = "sty lut mar kwi maj cze lip sie wrz paź lis gru".split()
    [line] = lines(f"{HEADER}7 lip 2026,1,x\n", date_format="D MON YYYY", months=months)

    assert line.booked_on == date(2026, 7, 7)


@pytest.mark.parametrize(
    "cell", ["", "2026-02-30", "2026-13-01", "19.03.2026", "2026-3-1", "2026-03-19x", "Pending"]
)
def test_what_is_no_such_day_is_rejected_with_its_row(cell: str) -> None:
    [line] = rejected(f"{HEADER}2026-03-19,1,x\n{cell},2,y\n2026-03-20,3,z\n")

    assert (line.line_no, line.reason.partition(":")[0]) == (3, "bad_date")
    assert line.raw == f"{cell},2,y"


# --- The sign ------------------------------------------------------------------------------------

MARKS = {"column": "Text", "credit": ["Bij", "C"], "debit": ["Af", ""]}


@pytest.mark.parametrize(
    ("rule", "amount", "mark", "net"),
    [
        ("agrees", "5", "bij", "5"),
        ("agrees", "5", "Af", "-5"),
        ("agrees", "5", "", "-5"),
        ("agrees", "-5", "Af", "-5"),
        ("agrees", "+5", "C", "5"),
        ("agrees", "-5", "C", "bad_direction"),
        ("agrees", "5", "X", "bad_direction"),
        ("ignored", "-5", "C", "5"),
        ("ignored", "5", "Af", "-5"),
        ("multiplies", "-5", "Af", "5"),
        ("multiplies", "-5", "C", "-5"),
    ],
)
def test_a_mark_in_its_own_column_tells_the_direction(
    rule: str, amount: str, mark: str, net: str
) -> None:
    names = {"booked_on": "Date", "amount": "Amount"}
    text = f"{HEADER}2026-03-19,{amount},{mark}\n"
    [_, record, _] = records(text, columns=names, direction=MARKS, sign=rule)

    if isinstance(record, RejectedLine):
        assert record.reason.partition(":")[0] == net
    else:
        assert isinstance(record, ParsedLine)
        assert record.net == Decimal(net)


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("5.00 CR", "5.00"),
        ("5.00DR", "-5.00"),
        ("Dr 5.00", "-5.00"),
        ("5.00", "bad_direction"),
        ("5.00 XCR", "bad_direction"),
    ],
)
def test_a_mark_beside_the_amount_tells_the_direction(cell: str, amount: str) -> None:
    found = net(cell, direction={"credit": ["CR"], "debit": ["DR"]})

    assert found == (amount if amount.startswith("bad") else Decimal(amount))


@pytest.mark.parametrize(
    ("debit", "credit", "net"),
    [
        ("5", "", "-5"),
        ("-5", "", "-5"),
        ("", "5", "5"),
        ("", "+5", "5"),
        ("0.00", "5", "5"),
        ("5", "0.00", "-5"),
        ("0.00", "0.00", "0"),
        ("0", "", "0"),
        ("5", "5", "bad_amount"),
        ("", "", "bad_amount"),
        ("", "-5", "bad_direction"),
        ("+5", "", "bad_direction"),
    ],
)
def test_two_columns_tell_the_direction(debit: str, credit: str, net: str) -> None:
    names = {"booked_on": "Date", "debit": "Debit", "credit": "Credit"}
    found = records(f"Date,Debit,Credit\n2026-03-19,{debit},{credit}\n", columns=names)[1]

    if isinstance(found, RejectedLine):
        assert found.reason.partition(":")[0] == net
    else:
        assert isinstance(found, ParsedLine)
        assert found.net == Decimal(net)


def test_a_card_counts_the_other_way_round() -> None:
    text = "Date,Amount,Balance\n2026-03-19,30.00,130.00\n2026-03-20,-130.00,0.00\n"
    names = {"booked_on": "Date", "amount": "Amount", "balance": "Balance"}
    found = records(text, columns=names, inverted=True)

    assert [r.net for r in found if isinstance(r, ParsedLine)] == [Decimal(-30), Decimal(130)]
    assert found[-1] == StatementTrailer(opening=Decimal(-100), closing=Decimal(0))


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


# --- Accounts and balances -----------------------------------------------------------------------

BOOK = {"booked_on": "Date", "amount": "Amount", "account": "Account", "balance": "Balance"}


def test_each_account_and_currency_is_a_statement_even_where_rows_are_mixed() -> None:
    text = (
        "Date,Account,Amount,Balance,Ccy\n"
        "2026-03-19,'DE 1,1,11,EUR\n2026-03-19,DE2,5,25,EUR\n"
        '2026-03-20,DE1,2,13,EUR\n2026-03-20,="DE1",7,7,US$\n2026-03-21,DE2,-5,20,EUR\n'
        "2026-03-21,,1,,EUR\n2026-03-21,DE1,1,,Total\n"
    )
    found = records(text, columns={**BOOK, "currency": "Ccy"}, currency_names={"US$": "USD"})

    told = [
        (record.account, record.currency)
        if isinstance(record, StatementHeader)
        else record.line_no
        if isinstance(record, ParsedLine | RejectedLine)
        else (record.opening, record.closing)
        for record in found
    ]
    assert told == [
        *[("DE1", "EUR"), 2, 4, (10, 13)],
        *[("DE1", "USD"), 5, (0, 7)],
        *[7, 8],
        *[("DE2", "EUR"), 3, 6, (20, 20)],
    ]


def test_a_file_of_one_account_names_it_in_the_mapping_or_above_its_rows() -> None:
    [header, *_] = records(HEADER, account="DE 89")
    labelled = records(
        f"Konto: DE 77;\nWährung:;usd\nvon;2026-03-01\n{HEADER.replace(',', ';')}"
        "2026-03-19;1;x\nSaldo;;1.00\n",
        delimiter=";",
        stop_at=["saldo"],
        labels={"account": "Konto", "currency": "währung", "closing": "Saldo", "first_day": "von"},
    )

    assert header == StatementHeader("DE89", "EUR", "", "", None, None)
    assert labelled[0] == StatementHeader("DE77", "USD", "", "", date(2026, 3, 1), None)
    assert labelled[-1] == StatementTrailer(closing=Decimal("1.00"))


def test_nothing_is_told_of_balances_that_are_not_there() -> None:
    assert trailer(f"{HEADER}2026-03-19,1,x\n") == StatementTrailer()


@pytest.mark.parametrize("order", ["oldest_first", "newest_first"])
def test_the_running_balance_opens_and_closes_the_statement(order: str) -> None:
    rows = ["2026-03-19,5,15", "2026-03-19,-1,", "2026-03-20,2,16", "2026-03-21,4,"]
    if order == "newest_first":
        rows.reverse()
    text = "Date,Amount,Balance\n" + "\n".join(rows)
    names = {"booked_on": "Date", "amount": "Amount", "balance": "Balance"}

    found = records(text, columns=names, order=order)

    assert found[-1] == StatementTrailer(opening=Decimal(10), closing=Decimal(20))
    assert not [record for record in found if isinstance(record, RejectedLine)]


def test_a_running_balance_that_does_not_follow_is_said_and_the_lines_are_kept() -> None:
    names = {"booked_on": "Date", "amount": "Amount", "balance": "Balance"}
    text = "Date,Amount,Balance\n2026-03-19,5,15\n2026-03-19,1,17\n2026-03-19,1,17\n"
    found = records(text, columns=names)

    [problem] = [record for record in found if isinstance(record, RejectedLine)]
    assert problem.line_no == 0
    assert problem.reason == (
        "broken_balance: line 3: the balance is 17 where the rows before it make 16"
    )
    assert len(found) == 6
    assert found[-1] == StatementTrailer(opening=Decimal(10), closing=Decimal(17))


def test_a_balance_is_not_held_against_a_row_that_was_not_read() -> None:
    names = {"booked_on": "Date", "amount": "Amount", "balance": "Balance"}
    text = "Date,Amount,Balance\n2026-03-19,5,15\n2026-03-19,?,16\n2026-03-19,1,17\n"

    assert [line.reason[:10] for line in rejected(text, columns=names)] == ["bad_amount"]


def test_labels_hold_control_totals_that_are_checked_like_any() -> None:
    text = f"{HEADER}2026-03-19,5,x\nRows,1,\nIn,5.00,\nOut,-0.00,\nBefore,1.00,\nAfter,6.00,\n"
    labels = {"count": "rows", "credit": "in", "debit": "out", "opening": "before"}
    found = trailer(text, stop_at=["rows"], labels={**labels, "closing": "after"})

    assert found == StatementTrailer(
        opening=Decimal(1),
        closing=Decimal(6),
        declared_count=1,
        declared_credit=Decimal(5),
        declared_debit=Decimal(0),
    )
    [bad] = rejected(text.replace("6.00", "6..0"), stop_at=["rows"], labels={"closing": "after"})
    assert (bad.line_no, bad.reason[:10], bad.raw) == (0, "bad_amount", "6..0")


def test_one_label_for_the_balances_of_two_accounts_is_refused() -> None:
    text = "Date,Account,Amount,Balance\n2026-03-19,A,1,\n2026-03-19,B,1,\nEnd,,9,\n"

    with pytest.raises(ImportRefused, match="ambiguous_balance"):
        records(text, columns=BOOK, stop_at=["end"], labels={"closing": "end"})


def test_an_empty_statement_is_one_of_no_lines() -> None:
    assert records(HEADER) == [StatementHeader("", "EUR", "", "", None, None), StatementTrailer()]
    names = {"booked_on": "Date", "amount": "Amount", "account": "Text"}
    assert records(HEADER, columns=names) == []


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
