"""People and a run at the same discrepancy: one is first, and one entry is posted."""

from typing import Any

import pytest

from ledger.models import JournalEntry
from reconciliation.models import Discrepancy, WriteOff
from reconciliation.selectors import tie_outs
from reconciliation.services.discrepancies import resolve
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    propose_write_off,
    reverse_write_off,
    withdraw_write_off,
)
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance
from tests.support.races import run_together
from tests.support.reports import DAY, bank_of, charge, define_sources, load, payout_row, report
from tests.support.write_offs import CHECKER, LATER, MAKER, WHY, propose

pytestmark = pytest.mark.django_db(transaction=True)

LINES = 4


@pytest.fixture(autouse=True)
def all_is_right() -> Any:
    yield
    assert_books_balance()
    assert not any(proof.difference for proof in tie_outs(LATER))


@pytest.fixture
def sources():
    GatewayFactory()
    return define_sources()


@pytest.fixture
def unexplained(sources) -> list[Discrepancy]:
    bank = bank_of()
    for number in range(LINES):
        bank.book(eur(f"-{number + 1}.00"), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    return list(Discrepancy.objects.order_by("pk"))


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def entries(write_off: WriteOff) -> int:
    key = f"write_off:{write_off.public_id}"
    return JournalEntry.objects.filter(idempotency_key=key).count()


def test_approved_by_three_at_once_it_is_posted_once(unexplained):
    for discrepancy in unexplained:
        write_off = propose(discrepancy)

        outcomes = run_together(
            *[lambda write_off=write_off: approve_write_off(write_off, actor=CHECKER)] * 3
        )

        assert names(outcomes) == ["InvalidTransition", "InvalidTransition", "WriteOff"]
        assert entries(write_off) == 1


def test_approved_and_withdrawn_at_once_only_one_of_them_happens(unexplained):
    for discrepancy in unexplained:
        write_off = propose(discrepancy)

        outcomes = run_together(
            lambda write_off=write_off: approve_write_off(write_off, actor=CHECKER),
            lambda write_off=write_off: withdraw_write_off(write_off, actor=MAKER, reason="No."),
        )

        assert names(outcomes) == ["InvalidTransition", "WriteOff"]
        write_off.refresh_from_db()
        discrepancy.refresh_from_db()
        assert (write_off.status, discrepancy.status, entries(write_off)) in (
            ("POSTED", "WRITTEN_OFF", 1),
            ("WITHDRAWN", "OPEN", 0),
        )


def test_proposed_twice_and_resolved_at_once_only_one_of_them_happens(unexplained):
    for discrepancy in unexplained:
        outcomes = run_together(
            lambda discrepancy=discrepancy: propose(discrepancy),
            lambda discrepancy=discrepancy: propose_write_off(
                discrepancy, kind="booking", actor=CHECKER, **WHY
            ),
            lambda discrepancy=discrepancy: resolve(discrepancy, actor=MAKER, **WHY),
        )

        assert names(outcomes)[:2] == (
            ["Discrepancy", "InvalidTransition"]
            if "Discrepancy" in names(outcomes)
            else ["InvalidTransition", "InvalidTransition"]
        )
        assert discrepancy.write_offs.count() <= 1


def test_reversed_twice_at_once_it_is_undone_once(unexplained):
    for discrepancy in unexplained:
        write_off = approve_write_off(propose(discrepancy), actor=CHECKER)

        outcomes = run_together(
            *[
                lambda write_off=write_off: reverse_write_off(
                    write_off, actor=MAKER, reason="Found."
                )
            ]
            * 2
        )

        assert names(outcomes) == ["InvalidTransition", "WriteOff"]
        entry = JournalEntry.objects.get(public_id=write_off.journal_entry)
        assert JournalEntry.objects.filter(reverses=entry).count() == 1


def test_line_that_is_matched_while_its_payment_is_written_off(sources):
    """Either the approval finds nothing open any more, or the run opens the discrepancy again."""
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    due = payment.settlement_due_on
    load(sources[0], report(payout_row("po_000001", "1.00", day=due)))
    reconcile(as_of=due)
    discrepancy = Discrepancy.objects.get(type="missing_settlement")
    write_off = propose(discrepancy)
    load(sources[0], report(charge(payment, "txn_1")))

    approved, _ = run_together(
        lambda: approve_write_off(write_off, actor=CHECKER), lambda: reconcile(as_of=due)
    )

    write_off.refresh_from_db()
    discrepancy.refresh_from_db()
    assert (type(approved).__name__, write_off.status, discrepancy.status) in (
        ("WriteOff", "POSTED", "OPEN"),
        ("WriteOffOutdated", "REQUESTED", "WRITE_OFF_REQUESTED"),
        ("ReconciliationUnderWay", "REQUESTED", "WRITE_OFF_REQUESTED"),
    )
