"""Amounts and days of CSV exports, as banks print them (formats.md §5)."""

from datetime import date
from decimal import Decimal

import pytest

from tests.reconciliation.importers.csv_reading import (
    HEADER,
    lines,
    net,
    rejected,
)


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
