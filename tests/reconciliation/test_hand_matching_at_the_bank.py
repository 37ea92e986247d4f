"""Deposits and payouts of ours that people match with lines of the bank, in parts, and undo."""

import pytest

from ledger.actors import Actor
from reconciliation.errors import NotMatchable
from reconciliation.models import (
    Discrepancy,
    Match,
    ProcessorPayout,
    StatementLine,
)
from reconciliation.selectors import tie_outs
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from settlements.models import Payout
from settlements.services.batches import run_settlement
from tests.factories import (
    MerchantFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.books import balance
from tests.support.hand_matching import WHY, all_ties_out, opened
from tests.support.payouts import sent
from tests.support.reports import DAY, bank_of, load, payout_row, report

__all__ = ["all_ties_out"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def arrived(sources) -> StatementLine:
    """100.00 from the processor that name no payout, for payouts of 60.00 and 50.00."""
    rows = (payout_row("po_000001", "60.00"), payout_row("po_000002", "50.00"))
    load(sources[0], report(*rows))
    bank = bank_of()
    bank.book(eur("100.00"), counterparty="SIM PAYMENTS", text="TRANSFER")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    found = StatementLine.objects.get(kind="entry")
    assert opened() == [
        ("deposit_missing", "po_000001"),
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", found.external_id),
    ]
    return found


def test_a_deposit_is_matched_part_by_part_and_never_beyond_the_line(arrived):
    first, second = ProcessorPayout.objects.order_by("external_id")

    match_by_hand(arrived, first, **WHY)
    assert opened() == [
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", arrived.external_id),
    ]
    reconcile(as_of=DAY)
    with pytest.raises(NotMatchable, match=r"of the line 40.00 EUR is left"):
        match_by_hand(arrived, second, amount=eur("40.01"), **WHY)
    match_by_hand(arrived, second, **WHY)

    assert opened() == [("deposit_short", "po_000002")]
    assert Discrepancy.objects.get(type="deposit_short").money == eur("-10.00")
    assert balance("deposits:in_transit:sim:EUR") == "10.00"
    assert balance(f"bank:{arrived.source_account.identifier}:EUR") == "1100.00"


def test_a_deposit_that_is_undone_is_in_transit_again_and_no_rule_takes_it(arrived):
    first, second = ProcessorPayout.objects.order_by("external_id")
    kept = match_by_hand(arrived, first, **WHY)
    undone = match_by_hand(arrived, second, **WHY)

    undo_match(undone, **WHY)
    reconcile(as_of=DAY)

    assert Match.objects.get() == kept
    assert opened() == [
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", arrived.external_id),
    ]
    assert balance("deposits:in_transit:sim:EUR") == "50.00"
    match_by_hand(arrived, second, amount=eur("40.00"), **WHY)
    assert balance("deposits:in_transit:sim:EUR") == "10.00"


def test_a_named_deposit_that_is_undone_is_nobodys(sources):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    name = bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)

    undo_match(Match.objects.get(), **WHY)
    reconcile(as_of=DAY)

    assert not Match.objects.exists()
    assert opened() == [("deposit_missing", "po_000001"), ("unexplained_bank_line", name)]


def test_a_payout_of_ours_is_matched_by_hand_and_on_its_way_again_when_undone(sources):
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    run_settlement(payment.effective_at.date(), actor=Actor.system("settlement"))
    payout = Payout.objects.get()
    sent([payout])
    payout.refresh_from_db()
    bank = bank_of()
    bank.book(-payout.money - eur("0.50"), counterparty="Shop", text="WITH A CHARGE")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    debit = StatementLine.objects.get(kind="entry")

    match = match_by_hand(debit, payout, **WHY)
    payout.refresh_from_db()
    assert (payout.status, payout.paid_on, payout.batch.status) == ("PAID", DAY, "PAID")
    assert balance("payouts:in_transit:EUR") == "0.00"
    assert opened() == [("unexplained_bank_line", debit.external_id)]  # 0.50 of it
    (proof,) = tie_outs(DAY, source=sources[1])
    assert proof.open == eur("0.50")

    undo_match(match, **WHY)
    payout.refresh_from_db()
    payout.batch.refresh_from_db()
    assert (payout.status, payout.paid_on, payout.batch.status) == ("SENT", None, "CLOSED")
    assert balance("payouts:in_transit:EUR") == payout.money.text
