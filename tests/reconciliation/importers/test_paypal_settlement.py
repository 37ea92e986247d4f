"""PayPal settlement and transaction detail reports, rule by rule (formats.md §6)."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    ImportRefused,
    ParsedLine,
    RejectedLine,
    StatementHeader,
    StatementTrailer,
)
from tests.reconciliation.importers.processor_reports import (
    PAYPAL_NAMES,
    PAYPAL_SETTLEMENT,
    PAYPAL_TRANSACTIONS,
    lines,
    read,
    recognised,
    refusal,
    rejected,
)

SETTLEMENT, TRANSACTIONS = "paypal.settlement", "paypal.transactions"
DAY = date(2026, 1, 6)


def row(event: str = "T0006", gross: str = "CR,100,EUR", fee: str = ",,", rest: str = ",") -> bytes:
    day = "2026/01/06 00:00:30 -0800"
    return f"SB,T9,M1-A,,,{event},{day},{day},{gross},{fee},{rest}\n".encode()


def one(data: bytes) -> ParsedLine | RejectedLine:
    [found] = [
        each
        for each in read(SETTLEMENT, PAYPAL_NAMES + data)
        if isinstance(each, ParsedLine | RejectedLine)
    ]
    return found


def reason(data: bytes) -> str:
    found = one(data)
    assert isinstance(found, RejectedLine), found
    return found.reason


def test_a_report_is_a_statement_per_currency_between_its_balances() -> None:
    found = read(SETTLEMENT, PAYPAL_SETTLEMENT)

    assert [each for each in found if isinstance(each, StatementHeader)] == [
        StatementHeader("ACC1", "EUR", "", "", DAY, DAY),
        StatementHeader("ACC1", "JPY", "", "", DAY, DAY),
    ]
    assert [each for each in found if isinstance(each, StatementTrailer)] == [
        StatementTrailer(Decimal("5.00"), DAY, Decimal("14.85"), DAY, declared_count=3),
        StatementTrailer(Decimal("0.00"), DAY, Decimal("97.00"), DAY, declared_count=1),
    ]
    assert [each.line_no for each in found if isinstance(each, ParsedLine)] == [5, 6, 8, 7]


def test_a_payment_is_read_whole() -> None:
    assert lines(SETTLEMENT, PAYPAL_SETTLEMENT)[0] == ParsedLine(
        line_no=5,
        kind="charge",
        external_id="T1",
        booked_on=DAY,
        value_on=None,
        currency="EUR",
        gross=Decimal("52.00"),
        fee=Decimal("2.25"),
        net=Decimal("49.75"),
        presentment_amount=None,
        presentment_currency="",
        reference="M1-A",
        parent_reference="",
        payout_id="",
        merchant="",
        counterparty="",
        text="T0006",
        references=(),
    )


def test_a_refund_points_at_its_payment_and_brings_a_fee_back() -> None:
    refund = lines(SETTLEMENT, PAYPAL_SETTLEMENT)[1]

    assert (refund.kind, refund.reference, refund.parent_reference) == ("refund", "", "M1-A")
    assert (refund.gross, refund.fee, refund.net) == (-10, Decimal("-0.10"), Decimal("-9.90"))
    assert refund.references == ("T1", "M1-A")


def test_a_withdrawal_is_a_payout_by_the_id_that_the_bank_shows() -> None:
    payout = lines(SETTLEMENT, PAYPAL_SETTLEMENT)[2]

    assert (payout.kind, payout.payout_id, payout.net) == ("payout", "BANK9", -30)


def test_amounts_are_hundredths_in_every_currency() -> None:
    yen = lines(SETTLEMENT, PAYPAL_SETTLEMENT)[3]

    assert (yen.currency, yen.gross, yen.fee, yen.reference) == ("JPY", 100, 3, "M2-B")


@pytest.mark.parametrize(
    ("event", "mark", "kind", "is_reversal"),
    [
        ("T0000", "DR", "adjustment", False),
        ("T0106", "DR", "fee", False),
        ("T0200", "CR", "adjustment", False),
        ("T0300", "CR", "adjustment", False),
        ("T0400", "CR", "adjustment", True),
        ("T1106", "DR", "dispute", False),
        ("T1106", "CR", "dispute_reversal", True),
        ("T1108", "CR", "fee", True),
        ("T1110", "DR", "adjustment", False),
        ("T1201", "DR", "dispute", False),
        ("T1208", "CR", "dispute_reversal", True),
        ("T2105", "CR", "adjustment", False),
    ],
)
def test_events(event: str, mark: str, kind: str, is_reversal: bool) -> None:
    found = one(row(event, f"{mark},100,EUR"))

    assert isinstance(found, ParsedLine)
    assert (found.kind, found.is_reversal) == (kind, is_reversal)


def test_a_withdrawal_without_bank_id_has_its_own() -> None:
    found = one(row("T0400", "DR,100,EUR"))

    assert isinstance(found, ParsedLine)
    assert found.payout_id == "T9"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (row(gross="CR,1.00,EUR"), "bad_amount"),
        (row(gross="CR,-100,EUR"), "bad_amount"),
        (row(gross="CR,,EUR"), "bad_amount"),
        (row(gross=",100,EUR"), "bad_sign"),
        (row(gross="XX,100,EUR"), "bad_sign"),
        (row(gross="CR,100,EURO"), "bad_currency"),
        (row(fee="DR,5,USD"), "foreign_fee"),
        (row(fee="DR,x,EUR"), "bad_amount"),
        (row(event=""), "bad_row"),
        (row(rest=",,,x"), "bad_row"),
        (row()[:-2] + b"\n", "bad_row"),
        (row().replace(b"2026/01/06", b"2026/02/30"), "bad_date"),
        (row().replace(b"2026/01/06", b"06.01.2026"), "bad_date"),
    ],
)
def test_a_bad_row_is_rejected_alone(bad: bytes, code: str) -> None:
    assert reason(bad).startswith(f"{code}: ")
    found = read(SETTLEMENT, PAYPAL_NAMES + row() + bad + row())

    assert [each.line_no for each in found if isinstance(each, ParsedLine)] == [2, 4]
    assert [each.line_no for each in rejected(found)] == [3]


def test_totals_that_the_rows_do_not_add_up_to_are_said() -> None:
    data = PAYPAL_SETTLEMENT.replace(b'"SF","EUR",5200', b'"SF","EUR",5100')
    found = read(SETTLEMENT, data)

    assert [(each.line_no, each.reason) for each in rejected(found)] == [
        (0, "wrong_control_total: line 9 states that 8.85 EUR moved, its rows 9.85")
    ]


def test_totals_of_the_report_are_checked_too() -> None:
    data = PAYPAL_SETTLEMENT.replace(b'"RF","EUR",5200', b'"RF","EUR",5300')

    assert [each.reason[:27] for each in rejected(read(SETTLEMENT, data))] == [
        "wrong_control_total: line 1"
    ]


def test_totals_are_not_compared_with_rows_that_could_not_be_read() -> None:
    data = PAYPAL_SETTLEMENT.replace(b'"CR",5200,"EUR","DR",225', b'"CR",52.00,"EUR","DR",225')

    assert [each.reason[:10] for each in rejected(read(SETTLEMENT, data))] == ["bad_amount"]


def test_a_footer_that_cannot_be_read_is_said() -> None:
    data = PAYPAL_SETTLEMENT.replace(b'"SF","JPY",10000', b'"SF","JPY",1e5')
    [problem] = rejected(read(SETTLEMENT, data))

    assert problem.line_no == 0
    assert problem.reason.startswith("bad_amount: ")
    assert problem.reason.endswith("(line 10)")


def test_sections_are_accounts_of_their_own() -> None:
    second = PAYPAL_SETTLEMENT[PAYPAL_SETTLEMENT.index(b'"SH"') : PAYPAL_SETTLEMENT.index(b'"RF"')]
    cut = PAYPAL_SETTLEMENT.index(b'"RF"')
    data = PAYPAL_SETTLEMENT[:cut] + second.replace(b"ACC1", b"ACC2")
    found = read(SETTLEMENT, data)
    headers = [each for each in found if isinstance(each, StatementHeader)]

    assert [(each.account, each.currency) for each in headers] == [
        ("ACC1", "EUR"),
        ("ACC2", "EUR"),
        ("ACC1", "JPY"),
        ("ACC2", "JPY"),
    ]
    assert len([each for each in found if isinstance(each, ParsedLine)]) == 8


def test_a_currency_without_rows_has_its_balances() -> None:
    footer = b'"SF","USD",0,0,0,0,"CR",700,"CR",700,0\n'
    data = PAYPAL_SETTLEMENT.replace(b'"SC",4\n', footer + b'"SC",4\n')
    trailers = [each for each in read(SETTLEMENT, data) if isinstance(each, StatementTrailer)]

    assert trailers[-1] == StatementTrailer(Decimal(7), DAY, Decimal(7), DAY, declared_count=0)


def test_a_negative_balance_is_marked_debit() -> None:
    data = PAYPAL_SETTLEMENT.replace(b'225,"CR",500,"CR",1485', b'225,"DR",500,"CR",1485')
    trailers = [each for each in read(SETTLEMENT, data) if isinstance(each, StatementTrailer)]

    assert trailers[0].opening == -5


def test_what_is_pending_in_the_detail_report_is_not_booked() -> None:
    found = read(TRANSACTIONS, PAYPAL_TRANSACTIONS)

    assert [each.external_id for each in found if isinstance(each, ParsedLine)] == ["T1"]
    assert [each.reason for each in rejected(found)] == ["not_booked: the transaction is pending"]


@pytest.mark.parametrize(
    ("change", "reason_start"),
    [
        ((b'"P"', b'"D"'), "not_booked: the transaction is denied"),
        ((b'"P"', b'"?"'), "unknown_status: "),
        ((b'"T2","M1-B","","","T0006"', b'"T2","M1-B","","","T1300"'), "not_booked: "),
    ],
)
def test_statuses(change: tuple[bytes, bytes], reason_start: str) -> None:
    [found] = rejected(read(TRANSACTIONS, PAYPAL_TRANSACTIONS.replace(*change)))

    assert found.reason.startswith(reason_start)


def test_the_two_reports_are_told_apart() -> None:
    assert recognised(PAYPAL_SETTLEMENT) == SETTLEMENT
    assert recognised(b"\xef\xbb\xbf" + PAYPAL_SETTLEMENT) == SETTLEMENT
    assert recognised(PAYPAL_TRANSACTIONS.replace(b",", b"\t")) == TRANSACTIONS
    assert refusal(SETTLEMENT, PAYPAL_TRANSACTIONS).code == "not_this_format"
    assert refusal(TRANSACTIONS, PAYPAL_SETTLEMENT).code == "not_this_format"


def test_tabs_are_as_good_as_commas() -> None:
    assert lines(SETTLEMENT, PAYPAL_SETTLEMENT.replace(b",", b"\t")) == lines(
        SETTLEMENT, PAYPAL_SETTLEMENT
    )


def test_a_report_of_subscriptions_is_refused() -> None:
    with pytest.raises(ImportRefused, match=r"unknown_format: .*no money moves"):
        recognised(b'"CH","Subscription ID","Subscription Currency"\n"SB","S-1","EUR"\n')


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_this_format"),
        (b"a,b\n1,2\n", "not_this_format"),
        (row(), "missing_column"),
        (PAYPAL_NAMES.replace(b"Fee Amount", b"Fee") + row(), "missing_column"),
        (PAYPAL_SETTLEMENT.replace(b'"T1"', b"\0"), "nul_character"),
        (PAYPAL_SETTLEMENT + b'"SB","open\n\n', "malformed_csv"),
        (
            PAYPAL_NAMES
            + b"".join(row(gross=f"CR,1,A{a}{b}") for a in "ABCDEFG" for b in "ABCDEFG"),
            "too_many_currencies",
        ),
    ],
)
def test_reports_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal(SETTLEMENT, data).code == code
