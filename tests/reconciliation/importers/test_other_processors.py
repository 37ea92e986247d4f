"""Adyen accounting, Checkout.com, dLocal, Trustly, and what is refused (formats.md §6)."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import (
    ImportRefused,
    ParsedLine,
    StatementHeader,
    StatementTrailer,
)
from tests.reconciliation.importers.processor_reports import (
    ADYEN_ACCOUNTING,
    CHECKOUT_BREAKDOWN,
    CHECKOUT_PAYOUTS,
    DLOCAL,
    SAMPLES,
    TRUSTLY_SETTLEMENT,
    TRUSTLY_TRANSACTIONS,
    lines,
    read,
    recognised,
    refusal,
    rejected,
)

ACCOUNTING = "adyen.payments_accounting"
BREAKDOWN, PAYOUTS = "checkout.settlement_breakdown", "checkout.payouts"


def parsed(code: str, data: bytes) -> list[ParsedLine]:
    return [each for each in read(code, data) if isinstance(each, ParsedLine)]


@pytest.mark.parametrize("code", SAMPLES)
def test_every_report_is_known_by_its_content(code: str) -> None:
    assert recognised(SAMPLES[code]) == code


def test_what_an_event_makes_payable_is_net_of_its_fees() -> None:
    settled, refunded = parsed(ACCOUNTING, ADYEN_ACCOUNTING)

    assert settled == ParsedLine(
        line_no=3,
        kind="charge",
        external_id="X1",
        booked_on=date(2026, 3, 2),
        value_on=None,
        currency="EUR",
        gross=Decimal("10.00"),
        fee=Decimal("0.45"),
        net=Decimal("9.55"),
        presentment_amount=Decimal("11.00"),
        presentment_currency="USD",
        reference="M1-A",
        parent_reference="",
        payout_id="",
        merchant="M1",
        counterparty="",
        text="",
        references=("P1",),
    )
    assert (refunded.kind, refunded.reference, refunded.parent_reference) == (
        "refund",
        "R-1",
        "M1-A",
    )
    assert (refunded.gross, refunded.fee, refunded.presentment_amount) == (
        -4,
        Decimal("0.10"),
        -Decimal("4.40"),
    )


def test_an_event_that_makes_nothing_payable_is_not_booked() -> None:
    [found] = rejected(read(ACCOUNTING, ADYEN_ACCOUNTING))

    assert (found.line_no, found.reason) == (2, "not_booked: Authorised moves nothing payable")


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ((b",9.55,,0.20", b",9.55EUR,,0.20"), "bad_amount: "),
        ((b"USD,EUR,9.55", b"USD,,9.55"), "bad_currency: "),
        ((b"2026-03-02 10", b"02.03.2026 10"), "bad_date: "),
        ((b",Settled,", b",,"), "bad_row: "),
    ],
)
def test_a_bad_event_is_rejected_alone(change: tuple[bytes, bytes], start: str) -> None:
    found = rejected(read(ACCOUNTING, ADYEN_ACCOUNTING.replace(*change)))

    assert [each.reason.startswith(start) for each in found] == [False, True]


def test_a_breakdown_has_deductions_and_the_payout_of_each_row() -> None:
    charge, refund, fee = lines(BREAKDOWN, CHECKOUT_BREAKDOWN)

    assert (charge.kind, charge.gross, charge.fee, charge.net) == (
        "charge",
        50,
        Decimal("1.5"),
        Decimal("48.5"),
    )
    assert (charge.reference, charge.external_id, charge.references) == (
        "M1-A",
        "act_1",
        ("pay_1",),
    )
    assert (charge.presentment_amount, charge.presentment_currency) == (55, "USD")
    assert (refund.kind, refund.reference, refund.parent_reference) == ("refund", "", "M1-A")
    assert (fee.kind, fee.net, fee.text) == ("fee", Decimal("-0.3"), "Network Token")
    assert {each.payout_id for each in (charge, refund, fee)} == {"K599"}


def test_a_payout_of_the_list_is_the_sum_of_its_breakdown() -> None:
    [payout] = lines(PAYOUTS, CHECKOUT_PAYOUTS)

    assert (payout.kind, payout.payout_id, payout.booked_on) == ("payout", "K599", date(2026, 7, 2))
    assert payout.net + sum(each.net for each in lines(BREAKDOWN, CHECKOUT_BREAKDOWN)) == 0


def test_a_deduction_that_does_not_add_up_rejects_its_row() -> None:
    [found] = rejected(read(BREAKDOWN, CHECKOUT_BREAKDOWN.replace(b",48.5,", b",48.6,")))

    assert found.reason.startswith("bad_sum: ")


def test_a_dlocal_transfer_and_what_it_pays() -> None:
    payout, payment, fee = lines("dlocal.settlement", DLOCAL)

    assert (payout.kind, payout.net, payout.payout_id) == ("payout", -Decimal("2.70"), "6429")
    assert (payment.kind, payment.currency, payment.reference) == ("charge", "USD", "M1-A")
    assert (payment.gross, payment.fee, payment.net) == (
        Decimal("3.772174"),
        Decimal("0.075443"),
        Decimal("3.696731"),
    )
    assert (payment.presentment_amount, payment.presentment_currency) == (70, "MXN")
    assert (payment.booked_on, payment.value_on) == (date(2026, 1, 8), date(2026, 1, 9))
    assert (fee.kind, fee.net, fee.payout_id) == ("fee", -1, "6429")
    assert round(payment.net + fee.net + payout.net, 2) == 0


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ((b",3.696731", b",3.796731"), "bad_sum: "),
        ((b"\nPAYMENT,", b"\nPAYMEN,"), "unknown_type: "),
        ((b",-1.000000\n", b",-1.000000,x\n"), "bad_row: "),
        ((b"USD,2.70", b"USD,"), "bad_amount: "),
    ],
)
def test_a_bad_row_of_dlocal_is_rejected_alone(change: tuple[bytes, bytes], start: str) -> None:
    found = read("dlocal.settlement", DLOCAL.replace(*change))

    assert [each.reason.startswith(start) for each in rejected(found)] == [True]
    assert len([each for each in found if isinstance(each, ParsedLine)]) == 2


def test_a_dlocal_report_without_its_header_is_none() -> None:
    data = b"".join(line for line in DLOCAL.splitlines(True) if not line.startswith(b"HEADER"))

    assert refusal("dlocal.settlement", data).code == "malformed_csv"
    assert refusal("dlocal.settlement", b"ROW_TYPE,A\n").code == "not_this_format"
    assert refusal("dlocal.settlement", DLOCAL.replace(b"PAYMENT,", b"HEADER,")).code == (
        "malformed_csv"
    )


def test_a_trustly_settlement_pays_its_items() -> None:
    header, sale, returned, payout, trailer = read("trustly.settlement", TRUSTLY_SETTLEMENT)

    assert isinstance(header, StatementHeader)
    assert (header.statement_id, header.first_day) == (
        "P11KFUN 2026-02-01T12:00:00.000Z",
        date(2026, 2, 1),
    )
    assert isinstance(sale, ParsedLine)
    assert isinstance(returned, ParsedLine)
    assert isinstance(payout, ParsedLine)
    assert (sale.kind, sale.gross, sale.fee, sale.net) == (
        "charge",
        5,
        Decimal("0.10"),
        Decimal("4.90"),
    )
    assert (returned.kind, returned.net, returned.parent_reference) == ("dispute", -2, "M1-B")
    assert (payout.kind, payout.net, payout.payout_id) == ("payout", -Decimal("2.90"), "B1")
    assert sale.net + returned.net + payout.net == 0
    assert trailer == StatementTrailer(
        declared_count=3, declared_credit=Decimal("5.00"), declared_debit=Decimal("4.90")
    )


def test_trustly_transactions_are_signed_by_their_type() -> None:
    capture, refund = parsed("trustly.transactions", TRUSTLY_TRANSACTIONS)

    assert [(each.kind, each.net) for each in (capture, refund)] == [("charge", 5), ("refund", -1)]
    assert (capture.reference, refund.reference, refund.parent_reference) == ("M1-A", "", "M1-A")


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ((b",Capture,Processed,", b",Capture,Pending,"), "not_booked: "),
        ((b",Capture,Processed,", b",Gift,Processed,"), "unknown_type: "),
        ((b",USD,5.00,,,,,USD", b",USD,5.00,,,USD"), "bad_row: "),
        ((b"\nT,11", b"\nX,11"), "bad_row: "),
        ((b"USD,5.00", b"USD,five"), "bad_amount: "),
    ],
)
def test_a_bad_record_is_rejected_alone(change: tuple[bytes, bytes], start: str) -> None:
    found = read("trustly.transactions", TRUSTLY_TRANSACTIONS.replace(*change))

    assert [each.reason.startswith(start) for each in rejected(found)] == [True]
    assert len([each for each in found if isinstance(each, ParsedLine)]) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (TRUSTLY_TRANSACTIONS[: TRUSTLY_TRANSACTIONS.index(b"L,2")], "truncated"),
        (TRUSTLY_TRANSACTIONS * 2, "trailing_content"),
        (TRUSTLY_SETTLEMENT, "not_this_format"),
        (TRUSTLY_TRANSACTIONS.replace(b"L,2,5.00", b"L,2,x"), "bad_trailer"),
        (TRUSTLY_TRANSACTIONS.replace(b"L,2,5.00,1.00", b"L,2"), "bad_trailer"),
        (TRUSTLY_TRANSACTIONS.replace(b"1.0.0,2026-02-01", b"1.0.0,yesterday"), "bad_header"),
        (b"", "not_this_format"),
    ],
)
def test_trustly_files_that_cannot_be_trusted_are_refused(data: bytes, code: str) -> None:
    assert refusal("trustly.transactions", data).code == code


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"payout_items":[{"amount":"45.0"}]}', "GoCardless payout items"),
        (b'{"payouts":[{"amount":1000}]}', "GoCardless payouts"),
        (b'{"resource":"settlement","periods":{}}', "Mollie settlement"),
        (b'[{"id":"a","disbursementDetails":{}}]', "Braintree"),
        (b'{"items":[{"utr":"X"}]}', "Razorpay"),
        (b'\xef\xbb\xbf [{"a": 1}]', "an answer of an API"),
        (b"Type;Net Amount (local);Transaction Reference;IOF\n", "dLocal transactions"),
        (b"id,captured_amount,refunded_amount,payment_service_transaction_id\n", "orchestrator"),
    ],
)
def test_what_shows_no_movement_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(ImportRefused, match=f"unknown_format: .*{said}"):
        recognised(data)
