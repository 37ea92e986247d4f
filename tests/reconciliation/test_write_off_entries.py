"""What write-offs and bookings post, to the cent, and on which accounts."""

import pytest

from ledger.models import Account
from reconciliation.errors import (
    BookingNotPossible,
    NothingToWriteOff,
    OffOnSeveralAccounts,
)
from reconciliation.models import Discrepancy
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    entry_of,
)
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance, t_accounts
from tests.support.reports import (
    DAY,
    IBAN,
    bank_of,
    charge,
    load,
    payout_row,
    report,
)
from tests.support.write_offs import (
    CHECKER,
    items,
    missing,
    propose,
    unexplained,
    written_off,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
BANK = f"bank:{IBAN}:EUR"


def reported(sources, **changes) -> Discrepancy:
    """A payment of 100.00 that the report shows with changes."""
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    load(sources[0], report(charge(payment, "txn_1", **changes)))
    reconcile(as_of=payment.settlement_due_on)
    return Discrepancy.objects.exclude(type="late_settlement").get()


def test_unexplained_bank_line_is_booked_to_suspense_and_leaves_the_tie_out(sources):
    discrepancy = unexplained(sources)
    write_off = propose(discrepancy, "booking")

    assert items(sources[1]) == [(discrepancy.reference, "25.00")]
    assert entry_of(write_off) == {
        "debit": "suspense:EUR",
        "credit": BANK,
        "amount": "25.00 EUR",
        "effective_on": "2026-03-19",
    }
    approve_write_off(write_off, actor=CHECKER)

    assert items(sources[1]) == []
    (proof,) = tie_outs(DAY, source=sources[1])
    assert (proof.book.text, proof.statement.text) == ("975.00", "975.00")
    assert t_accounts(discrepancy.line.public_id) == [
        ("debit", "suspense:EUR", 25_00),
        ("credit", BANK, 25_00),
    ]
    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.reason_code, discrepancy.resolution) == (
        "WRITTEN_OFF",
        "other",
        "Asked, and nobody knows.",
    )
    assert discrepancy.ended_by == "user:checker@example.com"
    assert_books_balance()


def test_unexplained_deposit_may_be_booked_to_a_named_account(sources):
    discrepancy = unexplained(sources, "30.00")

    write_off = written_off(discrepancy, "booking", counter_account="equity:opening:EUR")

    assert t_accounts(discrepancy.line.public_id) == [
        ("debit", BANK, 30_00),
        ("credit", "equity:opening:EUR", 30_00),
    ]
    assert write_off.status == "POSTED"
    assert items(sources[1]) == []


@pytest.mark.parametrize("code", ["nowhere:EUR", BANK])
def test_booking_to_no_account_or_a_proved_one_is_refused(sources, code):
    discrepancy = unexplained(sources)

    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "booking", counter_account=code)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"


@pytest.mark.parametrize(
    ("kind", "expense"),
    [("write_off", "expense:write_off:EUR"), ("accepted_difference", "expense:differences:EUR")],
)
def test_missing_payment_is_lost_from_clearing(sources, kind, expense):
    discrepancy = missing(sources)
    reference = discrepancy.payment.public_id

    written_off(discrepancy, kind)

    assert t_accounts(reference)[-2:] == [
        ("debit", expense, 100_00),
        ("credit", "clearing:sim:EUR", 100_00),
    ]
    assert items(sources[0]) == []


@pytest.mark.parametrize(
    ("gross", "debit", "credit", "amount"),
    [
        ("99.99", "expense:differences:EUR", "clearing:sim:EUR", 1),
        ("103.00", "clearing:sim:EUR", "income:differences:EUR", 3_00),
        ("-100.00", "expense:differences:EUR", "clearing:sim:EUR", 200_00),
    ],
)
def test_amount_that_differs_is_accepted_to_the_cent(sources, gross, debit, credit, amount):
    discrepancy = reported(sources, gross=gross, customer_facing_amount=gross)

    written_off(discrepancy, "accepted_difference")

    assert t_accounts(discrepancy.payment.public_id)[-2:] == [
        ("debit", debit, amount),
        ("credit", credit, amount),
    ]
    assert items(sources[0]) == []


def test_line_of_nobody_and_repeated_line_are_ours_to_keep(sources):
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    stranger = charge(payment, "txn_9", **{"payment_metadata[reference]": "pay_ffffffffffff"})
    load(
        sources[0],
        report(charge(payment, "txn_1"), charge(payment, "txn_2"), stranger),
    )
    reconcile(as_of=payment.settlement_due_on)
    found = list(Discrepancy.objects.filter(type__in=["duplicate_line", "orphan_line"]))
    assert len(found) == 2

    for discrepancy in found:
        written_off(discrepancy)

    assert items(sources[0]) == []
    # Gross 100.00 less the processor's fee of 1.65.
    assert t_accounts(found[0].line.public_id) == [
        ("debit", "clearing:sim:EUR", 98_35),
        ("credit", "income:differences:EUR", 98_35),
    ]


@pytest.mark.parametrize(
    ("deposits", "kind", "expected"),
    [
        (
            ["90.00"],
            "deposit_short",
            ("expense:write_off:EUR", "deposits:in_transit:sim:EUR", 8_35),
        ),
        ([], "deposit_missing", ("expense:write_off:EUR", "deposits:in_transit:sim:EUR", 98_35)),
        (["99.00"], "deposit_over", (BANK, "income:differences:EUR", 65)),
        (["98.35", "98.35"], "deposit_duplicate", (BANK, "income:differences:EUR", 98_35)),
    ],
)
def test_deposit_that_differs_is_written_off_where_it_is_off(sources, deposits, kind, expected):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    for amount in deposits:
        bank.book(eur(amount), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)

    write_off = written_off(Discrepancy.objects.get(type=kind))

    debit, credit, amount = expected
    assert entry_of(write_off) == {
        "debit": debit,
        "credit": credit,
        "amount": str(write_off.money),
        "effective_on": "2026-03-19",
    }
    assert write_off.amount == amount
    assert items(sources[1]) == []
    assert balance("deposits:in_transit:sim:EUR") == 0


def balance(code: str) -> int:
    return Account.objects.get(code=code).balance.money.amount


def test_what_is_posted_as_reported_has_nothing_to_write_off(sources):
    discrepancy = reported(sources, fee="2.00")

    assert discrepancy.type == "fee_mismatch"
    with pytest.raises(NothingToWriteOff):
        propose(discrepancy)


def test_difference_in_two_currencies_is_not_ended_by_one_entry(sources):
    discrepancy = reported(
        sources,
        currency="usd",
        gross="110.00",
        fee="0.00",
        customer_facing_amount="110.00",
        customer_facing_currency="usd",
    )

    assert discrepancy.type == "currency_mismatch"
    with pytest.raises(OffOnSeveralAccounts):
        propose(discrepancy)
