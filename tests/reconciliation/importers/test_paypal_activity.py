"""PayPal's activity download in its languages (formats.md §6). All rows are made up."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import ImportRefused, ParsedLine
from tests.reconciliation.importers.processor_reports import (
    PAYPAL_ACTIVITY,
    lines,
    read,
    recognised,
    refusal,
    rejected,
)

CODE = "paypal.activity"
ENGLISH = (
    "Date, Time, Time Zone, Name, Type, Status, Currency, Gross, Fee, Net, Transaction ID,"
    " Reference Txn ID, Invoice Number, Custom Number, Balance,\n"
)


def english(
    day: str = "3/14/2026",
    amounts: str = '"10.00","-0.50","9.50"',
    type_: str = "Express Checkout Payment",
    status: str = "Completed",
) -> str:
    return (
        f'"{day}","1:00:00","PST","A","{type_}","{status}","USD",{amounts},"T1","","","C-1","",\n'
    )


def one(**changes: str) -> ParsedLine:
    [found] = lines(CODE, (ENGLISH + english(**changes)).encode())
    return found


def reason(**changes: str) -> str:
    [found] = rejected(read(CODE, (ENGLISH + english() + english(**changes)).encode()))
    return found.reason


def test_a_german_download_is_read_in_its_own_marks() -> None:
    found = read(CODE, PAYPAL_ACTIVITY)
    charge, refund, payout = [each for each in found if isinstance(each, ParsedLine)]

    assert charge == ParsedLine(
        line_no=2,
        kind="charge",
        external_id="T1",
        booked_on=date(2026, 3, 4),
        value_on=None,
        currency="EUR",
        gross=Decimal("1200.50"),
        fee=Decimal("12.25"),
        net=Decimal("1188.25"),
        presentment_amount=None,
        presentment_currency="",
        reference="M1-A",
        parent_reference="",
        payout_id="",
        merchant="",
        counterparty="Erika M",
        text="PayPal Express-Zahlung",
        references=(),
    )
    assert (refund.kind, refund.reference, refund.parent_reference) == ("refund", "", "M1-A")
    assert (refund.fee, refund.net, refund.references) == (-1, -99, ("T1", "M1-A"))
    assert (payout.kind, payout.payout_id, payout.net) == ("payout", "T3", -1000)
    assert [each.reason for each in rejected(found)] == ["not_booked: the row is memo"]


def test_an_english_download_with_padded_names_is_recognised() -> None:
    data = (ENGLISH + english()).encode()

    assert recognised(data) == recognised(PAYPAL_ACTIVITY) == CODE
    assert (one().kind, one().booked_on, one().reference) == ("charge", date(2026, 3, 14), "C-1")


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (("3/4/2026", "3/14/2026"), date(2026, 3, 4)),
        (("3/4/2026", "14/3/2026"), date(2026, 4, 3)),
        (("2026/3/4",), date(2026, 3, 4)),
        (("4.3.2026",), date(2026, 3, 4)),
        (("3/14/26",), date(2026, 3, 14)),
    ],
)
def test_the_order_of_a_day_shows_in_the_others(days: tuple[str, ...], first: date) -> None:
    data = (ENGLISH + "".join(english(day) for day in days)).encode()

    assert lines(CODE, data)[0].booked_on == first


def test_an_order_that_no_day_shows_must_be_told() -> None:
    data = (ENGLISH + english("3/4/2026")).encode()

    assert refusal(CODE, data).code == "ambiguous_dates"
    [american] = lines(CODE, data, {"date_format": "M/D/YYYY"})
    [british] = lines(CODE, data, {"date_format": "D/M/YYYY"})
    assert (american.booked_on, british.booked_on) == (date(2026, 3, 4), date(2026, 4, 3))


def test_days_that_contradict_each_other_are_refused() -> None:
    data = (ENGLISH + english("3/14/2026") + english("14/3/2026")).encode()

    assert refusal(CODE, data).code == "ambiguous_dates"


def test_a_decimal_mark_that_no_amount_shows_must_be_told() -> None:
    data = (ENGLISH + english(amounts='"1,000","0","1,000"')).encode()

    assert refusal(CODE, data).code == "ambiguous_amounts"
    assert lines(CODE, data, {"decimal": "."})[0].net == 1000
    assert refusal(CODE, data, {"decimal": "x"}).code == "bad_options"
    assert refusal(CODE, data, {"decimal": ".", "date_format": "YY"}).code == "bad_options"


@pytest.mark.parametrize(
    ("type_", "amounts", "kind"),
    [
        ("General Withdrawal - Bank Account", '"-9.00","0.00","-9.00"', "payout"),
        ("General Withdrawal - Bank Account", '"9.00","0.00","9.00"', "adjustment"),
        ("General Currency Conversion", '"9.00","0.00","9.00"', "adjustment"),
        ("Payment Refund", '"-9.00","0.30","-8.70"', "refund"),
        ("Recurring Payment Sent", '"-9.00","0.00","-9.00"', "adjustment"),
        ("Chargeback", '"-9.00","0.00","-9.00"', "dispute"),
        ("Chargeback", '"9.00","0.00","9.00"', "dispute_reversal"),
        ("Chargeback Fee", '"-9.00","0.00","-9.00"', "fee"),
        ("Payment Reversal", '"-9.00","0.00","-9.00"', "dispute"),
        ("Payment Hold", '"-9.00","0.00","-9.00"', "adjustment"),
    ],
)
def test_types(type_: str, amounts: str, kind: str) -> None:
    assert one(type_=type_, amounts=amounts).kind == kind


def test_an_event_code_says_it_better_than_words() -> None:
    names = ENGLISH.replace(" Balance,", " Transaction Event Code,")
    data = (names + english().replace('"C-1","",', '"C-1","T0400",')).encode()

    assert lines(CODE, data)[0].kind == "adjustment"


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"status": "Pending"}, "not_booked: the row is pending"),
        ({"status": "Puzzled"}, "unknown_status: "),
        ({"amounts": '"10.00","-0.50","9.60"'}, "bad_sum: "),
        ({"amounts": '"1O.00","-0.50","9.50"'}, "bad_amount: "),
        ({"amounts": '"","",""'}, "bad_amount: "),
        ({"day": "March 3"}, "bad_date: "),
        ({"day": "2/30/2026"}, "bad_date: "),
    ],
)
def test_a_bad_row_is_rejected_alone(changes: dict[str, str], start: str) -> None:
    assert reason(**changes).startswith(start)


def test_an_empty_download_has_no_lines() -> None:
    assert lines(CODE, ENGLISH.encode()) == []


def test_another_language_is_not_recognised() -> None:
    with pytest.raises(ImportRefused, match="unknown_format"):
        recognised(PAYPAL_ACTIVITY.replace(b"Brutto", b"Bruttobelopp"))
