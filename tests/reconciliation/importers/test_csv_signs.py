"""Which way the money of a CSV row went: by sign, mark, column or kind of account."""

from decimal import Decimal

import pytest

from reconciliation.importers import (
    ParsedLine,
    RejectedLine,
    StatementTrailer,
)
from tests.reconciliation.importers.csv_reading import HEADER, net, records

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
