"""Stripe's balance history, its API's objects in tables, and payouts (formats.md §6)."""

from datetime import date
from decimal import Decimal

import pytest

from reconciliation.importers import ParsedLine
from tests.reconciliation.importers.processor_reports import (
    STRIPE_HISTORY,
    STRIPE_PAYOUT_OBJECTS,
    STRIPE_PAYOUTS,
    STRIPE_TRANSACTIONS,
    lines,
    read,
    recognised,
    rejected,
)

HISTORY, TRANSACTIONS = "stripe.balance_history", "stripe.balance_transactions"
PAYOUTS, OBJECTS = "stripe.payouts", "stripe.payout_objects"
ITEMISED = "stripe.payout_reconciliation"


def test_a_charge_of_the_history_is_read_whole() -> None:
    assert lines(HISTORY, STRIPE_HISTORY)[0] == ParsedLine(
        line_no=2,
        kind="charge",
        external_id="txn_1",
        booked_on=date(2026, 3, 1),
        value_on=date(2026, 3, 3),
        currency="EUR",
        gross=Decimal("25.00"),
        fee=Decimal("0.95"),
        net=Decimal("24.05"),
        presentment_amount=Decimal("28.00"),
        presentment_currency="USD",
        reference="M1-A",
        parent_reference="",
        payout_id="po_1",
        merchant="",
        counterparty="",
        text="Order",
        references=("ch_1",),
    )


def test_a_dispute_is_an_adjustment_whose_source_is_one() -> None:
    dispute = lines(HISTORY, STRIPE_HISTORY)[1]

    assert (dispute.kind, dispute.reference, dispute.parent_reference) == ("dispute", *["M1-A"] * 2)
    assert (dispute.gross, dispute.fee, dispute.net) == (-25, 15, -40)


def test_a_payout_of_the_history_is_known_by_its_source() -> None:
    payout = lines(HISTORY, STRIPE_HISTORY)[2]

    assert (payout.kind, payout.payout_id) == ("payout", "po_1")


@pytest.mark.parametrize(
    ("type_", "kind", "is_reversal"),
    [
        ("payment", "charge", False),
        ("payment_refund", "refund", False),
        ("refund_failure", "refund", True),
        ("stripe_fee", "fee", False),
        ("payout_failure", "adjustment", True),
        ("transfer", "adjustment", False),
        ("adjustment", "adjustment", False),
    ],
)
def test_types(type_: str, kind: str, is_reversal: bool) -> None:
    found = lines(HISTORY, STRIPE_HISTORY.replace(b",charge,", f",{type_},".encode()))[0]

    assert (found.kind, found.is_reversal) == (kind, is_reversal)


def test_amounts_of_the_api_are_in_the_smallest_unit_of_their_currency() -> None:
    charge, payout = lines(TRANSACTIONS, STRIPE_TRANSACTIONS)

    assert (charge.gross, charge.fee, charge.net) == (25, Decimal("0.95"), Decimal("24.05"))
    assert (payout.currency, payout.net, payout.payout_id) == ("JPY", -2405, "po_1")


def test_dinars_have_three_decimals() -> None:
    dinars = lines(TRANSACTIONS, STRIPE_TRANSACTIONS.replace(b",usd,", b",kwd,"))[0]

    assert dinars.gross == Decimal("2.5")


@pytest.mark.parametrize(
    ("code", "data", "change", "start"),
    [
        (HISTORY, STRIPE_HISTORY, (b"24.05", b"24.06"), "bad_sum: "),
        (HISTORY, STRIPE_HISTORY, (b"25.00,0.95", b'"25,00",0.95'), "bad_amount: "),
        (HISTORY, STRIPE_HISTORY, (b"2026-03-01 10:11", b"01/03/2026"), "bad_date: "),
        (HISTORY, STRIPE_HISTORY, (b"txn_1", b""), "bad_row: "),
        (TRANSACTIONS, STRIPE_TRANSACTIONS, (b",2500,", b",25.00,"), "bad_amount: "),
        (OBJECTS, STRIPE_PAYOUT_OBJECTS, (b"-2405", b"-24.05"), "bad_amount: "),
        (OBJECTS, STRIPE_PAYOUT_OBJECTS, (b",eur,", b",,"), "bad_currency: "),
        (OBJECTS, STRIPE_PAYOUT_OBJECTS, (b"po_1", b""), "bad_row: "),
    ],
)
def test_a_bad_row_is_rejected_alone(
    code: str, data: bytes, change: tuple[bytes, bytes], start: str
) -> None:
    found = read(code, data.replace(change[0], change[1], 1))

    assert [each.reason.startswith(start) for each in rejected(found)] == [True]


def test_a_payout_leaves_the_balance_and_a_failed_one_is_for_a_person() -> None:
    found = read(PAYOUTS, STRIPE_PAYOUTS)
    [payout] = [each for each in found if isinstance(each, ParsedLine)]

    assert (payout.kind, payout.net, payout.payout_id) == ("payout", -Decimal("24.05"), "po_1")
    assert (payout.external_id, payout.value_on) == ("txn_9", date(2026, 3, 6))
    assert [each.reason[:15] for each in rejected(found)] == ["returned_payout"]


def test_a_negative_payout_comes_from_our_bank() -> None:
    assert [each.net for each in lines(OBJECTS, STRIPE_PAYOUT_OBJECTS)] == [Decimal("24.05")]


def test_the_tables_are_told_apart() -> None:
    tables = (STRIPE_HISTORY, STRIPE_TRANSACTIONS, STRIPE_PAYOUTS, STRIPE_PAYOUT_OBJECTS)

    assert [recognised(each) for each in tables] == [HISTORY, TRANSACTIONS, PAYOUTS, OBJECTS]


def test_the_itemised_report_of_payouts_has_its_own_days() -> None:
    data = (
        b"payout_id,effective_at_utc,currency,gross,fee,net,reporting_category,"
        b"balance_transaction_id,payout_expected_arrival_date\n"
        b"po_1,2026-03-04 00:00:00,eur,-24.05,0,-24.05,payout,txn_9,2026-03-06\n"
    )
    [payout] = lines(ITEMISED, data)

    assert recognised(data) == ITEMISED
    assert (payout.kind, payout.payout_id, payout.net) == ("payout", "po_1", -Decimal("24.05"))
    assert (payout.booked_on, payout.value_on) == (date(2026, 3, 4), date(2026, 3, 6))
