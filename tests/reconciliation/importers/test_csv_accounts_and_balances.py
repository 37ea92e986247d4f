"""Accounts and balances of CSV exports, told by columns, labels or not at all."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reconciliation.importers import (
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from tests.reconciliation.importers.csv_reading import HEADER, records, rejected


def trailer(text: str, **options: Any) -> StatementTrailer:
    last = records(text, **options)[-1]
    assert isinstance(last, StatementTrailer)
    return last


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
