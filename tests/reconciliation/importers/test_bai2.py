"""Lines of BAI2 files: types, amounts, days, texts and ids."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    NOT_BOOKED,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from tests.reconciliation.importers.bai2_reading import DETAIL, GROUP, document, reasons, records


def lines(*body: str, account: str = "03,123 456,,/", group: str = GROUP) -> list[ParsedLine]:
    found = records(document(*body, account=account, group=group))
    assert not [each for each in found if isinstance(each, RejectedLine)], found
    return [each for each in found if isinstance(each, ParsedLine)]


def test_an_account_is_header_lines_trailer() -> None:
    summary = "03,123 456,USD,010,+10000,,,015,-2500,,,040,7,,,100,1234,1,,400,0,0,/"
    assert records(document(DETAIL, account=summary)) == [
        StatementHeader(
            account="123456",
            currency="USD",
            statement_id="BANKUS33-260320-0215-7",
            sequence="",
            first_day=date(2026, 3, 19),
            last_day=date(2026, 3, 19),
        ),
        ParsedLine(
            line_no=4,
            kind="entry",
            external_id="BK00000001",
            booked_on=date(2026, 3, 19),
            value_on=None,
            currency="USD",
            gross=Decimal("12.34"),
            fee=Decimal(0),
            net=Decimal("12.34"),
            presentment_amount=None,
            presentment_currency="",
            reference="po_1",
            parent_reference="",
            payout_id="",
            merchant="",
            counterparty="",
            text="PAYOUT",
            references=("BK00000001", "po_1"),
        ),
        StatementTrailer(
            opening=Decimal(100),
            opening_on=date(2026, 3, 19),
            closing=Decimal(-25),
            closing_on=date(2026, 3, 19),
            declared_count=1,
            declared_credit=Decimal("12.34"),
            declared_debit=Decimal(0),
        ),
    ]


@pytest.mark.parametrize(
    ("code", "net"),
    [
        ("100", "5.00"),
        ("142", "5.00"),
        ("195", "5.00"),
        ("399", "5.00"),
        ("400", "-5.00"),
        ("475", "-5.00"),
        ("699", "-5.00"),
        ("920", "5.00"),
        ("999", "-5.00"),
    ],
)
def test_the_type_is_the_sign(code: str, net: str) -> None:
    assert lines(f"16,{code},500,,,,/")[0].net == Decimal(net)


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("16,010,500,,,,/", "bad_direction"),
        ("16,721,500,,,,/", "bad_direction"),
        ("16,905,500,,,,/", "bad_direction"),
        ("16,1000,500,,,,/", "bad_direction"),
        ("16,,500,,,,/", "bad_direction"),
        ("16,165,,,,,/", "bad_amount"),
        ("16,165,-500,,,,/", "bad_amount"),
        ("16,165,5.00,,,,/", "bad_amount"),
        ("16,165,٥,,,,/", "bad_amount"),
        ("16,165," + "5" * 21 + ",,,,/", "bad_amount"),
        ("16,165,500,V,260230,,,,/", "bad_date"),
        ("16,165,500,X,,,/", "bad_funds_type"),
        ("16,165,500,D,x,,,/", "bad_funds_type"),
        ("16,165,500,D,9999999999,,,/", "bad_funds_type"),
        ("16,890,,,,,for your information/", NOT_BOOKED),
    ],
)
def test_what_cannot_be_read_is_rejected_and_the_rest_is_read(detail: str, reason: str) -> None:
    found = records(document(DETAIL, detail, "88,more/", DETAIL))

    assert [type(each) for each in found[1:-1]] == [ParsedLine, RejectedLine, ParsedLine]
    rejected = found[2]
    assert isinstance(rejected, RejectedLine)
    assert (rejected.line_no, rejected.reason.partition(":")[0]) == (5, reason)
    assert rejected.raw == f"{detail}\n88,more/"


@pytest.mark.parametrize(
    ("funds", "value_on"),
    [
        ("", None),
        ("0", date(2026, 3, 19)),
        ("1", None),
        ("2", None),
        ("Z", None),
        ("V,260321,0900", date(2026, 3, 21)),
        ("V,,", None),
        ("S,300,100,100", None),
        ("D,3,0,200,1,200,3,100", None),
        ("D,0", None),
    ],
)
def test_the_funds_type_says_how_many_fields_follow(funds: str, value_on: date | None) -> None:
    [found] = lines(f"16,165,500,{funds},BK00000001,po_1,a, b / c/")

    assert found.value_on == value_on
    assert (found.references, found.text) == (("BK00000001", "po_1"), "a, b / c")


def test_a_rejected_line_stands_as_in_the_file() -> None:
    data = document("16,165,x,,,,/", "", "88,more/  88,and more/", "last").replace(b"\n", b"\r\n")
    [rejected] = [each for each in records(data) if isinstance(each, RejectedLine)]

    assert rejected.line_no == 4
    assert rejected.raw == "16,165,x,,,,/\r\n\r\n88,more/  88,and more/\r\nlast"


def test_a_continuation_of_a_detail_is_text_with_commas_and_slashes() -> None:
    [found] = lines(
        "16,165,500,,BK00000001,po_1,",
        "88,ORG:=ADA, 12 HIGH ST 1/2",
        "88,16,500 units/",
        "without a code, too",
    )

    assert found.text == "ORG:=ADA, 12 HIGH ST 1/2 16,500 units without a code, too"


def test_a_text_that_fills_its_line_goes_on_within_the_word() -> None:
    full = "88,".ljust(74, "x") + " INVOI"
    [found] = lines("16,165,500,,,,/", full, "88,CE 4711")

    assert found.text.endswith("x INVOICE 4711")


@pytest.mark.parametrize(
    "detail",
    [
        ["16,165,500/", "88,S,300,100,100,BK00000001,po_1,text/"],
        ["16,165,500,S,300/", "88,100,100,BK00000001,po_1,text/"],
        ["16,165/", "88,500,,BK00000001,po_1,text/"],
        ["16,165,500,V,260319,,BK00000001,po_1/", "88,text/"],
        ["16,165,500,V,260319,,BK00000001,po_1,/  88,text"],
    ],
)
def test_a_detail_may_be_broken_anywhere(detail: list[str]) -> None:
    [found] = lines(*detail)

    assert (found.net, found.references, found.text) == (
        Decimal("5.00"),
        ("BK00000001", "po_1"),
        "text",
    )


def test_a_detail_that_ends_early_goes_on_with_text() -> None:
    [found] = lines("16,165,500/", "88,JUST TEXT/")

    assert (found.net, found.references, found.text) == (Decimal("5.00"), (), "JUST TEXT")


def test_a_summary_may_be_broken_amid_a_group_of_four() -> None:
    account = (
        "03,1,EUR,040,1,,V,260319,,072,5,,D,2,0,3,1,2,010,/\n88,10000,,,,015/\n88,-2500,,/"
    ).replace("010,/", "010/")
    trailer = records(document(account=account))[-1]

    assert isinstance(trailer, StatementTrailer)
    assert (trailer.opening, trailer.closing) == (Decimal(100), Decimal(-25))


def test_several_records_may_stand_on_one_line() -> None:
    data = document(DETAIL, "16,475,34,,,,text/ 16,5 kg").decode().replace("/\n", "/  ")
    found = records(data.encode())

    assert [each.net for each in found if isinstance(each, ParsedLine)] == [
        Decimal("12.34"),
        Decimal("-0.34"),
    ]
    assert [each.text for each in found if isinstance(each, ParsedLine)][1] == "text/ 16,5 kg"


@pytest.mark.parametrize(
    ("account", "group", "currency", "net"),
    [
        ("JPY", "EUR", "JPY", "1234"),
        ("", "KWD", "KWD", "1.234"),
        ("", "eur", "EUR", "12.34"),
        ("", "", "USD", "12.34"),
    ],
)
def test_the_currency_gives_the_decimals(account: str, group: str, currency: str, net: str) -> None:
    [found] = lines(DETAIL, account=f"03,1,{account},/", group=GROUP.replace("EUR", group))

    assert (found.currency, found.net) == (currency, Decimal(net))


def test_an_unknown_currency_or_day_rejects_the_lines() -> None:
    assert reasons(document(DETAIL, account="03,1,XXX,010,5,,/")) == [(4, "bad_currency")]
    assert reasons(document(DETAIL, group=GROUP.replace("260319", "260230"))) == [
        (0, "bad_date"),
        (4, "bad_date"),
    ]


@pytest.mark.parametrize("reference", ["", "0000000000", "123", "WIRE TRANSFER 1"])
def test_only_a_bank_reference_that_is_an_id_identifies_the_line(reference: str) -> None:
    assert lines(f"16,165,500,,{reference},,/")[0].external_id == ""


@pytest.mark.parametrize(
    ("status", "expected"),
    [("1", []), ("", []), ("3", [0]), ("2", [0, 4]), ("4", [0, 4])],
)
def test_deleted_and_test_groups_book_nothing(status: str, expected: list[int]) -> None:
    found = reasons(document(DETAIL, group=GROUP.replace(",1,", f",{status},")))

    assert found == [(line_no, "group_status") for line_no in expected]
