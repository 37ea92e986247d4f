"""Matches that people undo: what was posted goes back, both sides are open again."""

import pytest

from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, JournalEntry
from reconciliation.errors import MatchNotFound, WriteOffStands
from reconciliation.models import (
    Discrepancy,
    Match,
    UndoneMatch,
)
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from reconciliation.services.write_offs import approve_write_off, propose_write_off
from tests.factories import (
    DisputeFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import balance
from tests.support.hand_matching import (
    ANN,
    BOB,
    STRANGER,
    WHY,
    all_ties_out,
    line,
    opened,
    stranger,
)
from tests.support.reports import charge, load, report

__all__ = ["all_ties_out", "stranger"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_an_undone_match_is_reversed_once_and_its_sides_are_open_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", fee="2.00")))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [("fee_mismatch", "ORDER-0001")]
    match = Match.objects.get()

    undone = undo_match(match, **WHY)

    assert (undone.kind, undone.subject_id, undone.line) == ("payment", payment.pk, line("txn_1"))
    assert (undone.rule, undone.amount, undone.undone_by) == ("exact_reference", 9800, str(ANN))
    assert not Match.objects.exists()
    assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]
    fee = JournalEntry.objects.get(kind="processor_fees")
    taken = JournalEntry.objects.get(kind="processor_fee_undone")
    assert (taken.reference, taken.effective_at) == (payment.public_id, fee.effective_at)
    assert taken.idempotency_key == f"processor_fee_undone:match_{undone.match_number}"
    assert undone.fee_group.public_id == fee.reference
    assert balance("expense:processing:EUR") == "0.00"
    event = AuditEvent.objects.get(action="match.undone")
    assert event.reason == WHY["reason"]
    assert event.after == {"reversed": [], "fee_group": fee.reference}
    with pytest.raises(MatchNotFound):
        undo_match(match, **WHY)


def test_no_rule_makes_an_undone_match_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1")))
    reconcile()
    undo_match(Match.objects.get(), **WHY)

    for _ in range(2):
        reconcile(as_of=payment.settlement_due_on)
        assert not Match.objects.exists()
        assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]


def test_the_line_that_was_a_duplicate_takes_the_place_of_the_one_taken_away(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1"), charge(payment, "txn_2")))
    reconcile()
    assert opened() == [("duplicate_line", "txn_2")]

    undo_match(Match.objects.get(), **WHY)
    reconcile(as_of=payment.settlement_due_on)

    assert Match.objects.get().line == line("txn_2")
    assert opened() == [("orphan_line", "txn_1")]
    assert balance("expense:processing:EUR") == "1.65"


def test_a_person_may_match_again_what_was_undone_and_each_time_it_is_posted_once(stranger):
    for times in (1, 2, 3):
        match = match_by_hand(line("txn_1"), stranger, **WHY)
        assert balance("expense:processing:EUR") == "1.65"
        undo_match(match, **WHY)
        assert balance("expense:processing:EUR") == "0.00"
        assert UndoneMatch.objects.count() == times
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 3
    assert JournalEntry.objects.filter(kind="processor_fee_undone").count() == 3


def test_refunds_are_matched_and_undone_too(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    refund = SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")
    odd = charge(refund, "txn_2", fee="0.30", **{"refund_metadata[reference]": "GOODWILL"})
    load(sources[0], report(charge(payment, "txn_1"), odd))
    reconcile(as_of=refund.settlement_due_on)

    match = match_by_hand(line("txn_2"), refund, **WHY)
    assert opened() == [("fee_mismatch", "REFUND-0001")]

    undo_match(match, **WHY)
    assert opened() == [("orphan_line", "txn_2"), ("refund_not_in_settlement", "REFUND-0001")]
    assert balance("expense:processing:EUR") == "1.65"


def test_a_dispute_is_matched_and_undone_and_stays_a_dispute(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    dispute = DisputeFactory(payment=payment)
    chargeback = {"gross": "-40.00", "customer_facing_amount": "-40.00", "fee": "15.00"}
    lost = charge(payment, "txn_2", reporting_category="dispute", **chargeback, **STRANGER)
    load(sources[0], report(charge(payment, "txn_1"), lost))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [
        ("dispute_not_in_settlement", dispute.reference),
        ("orphan_line", "txn_2"),
    ]

    match = match_by_hand(line("txn_2"), dispute, **WHY)
    assert opened() == []
    assert balance("expense:processing:EUR") == "16.65"

    undo_match(match, **WHY)
    reconcile()
    assert opened() == [
        ("dispute_not_in_settlement", dispute.reference),
        ("orphan_line", "txn_2"),
    ]
    assert balance("expense:processing:EUR") == "1.65"
    dispute.refresh_from_db()
    assert dispute.status == "OPEN"


def test_a_dispute_that_a_line_had_opened_is_not_matched_to_it_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    chargeback = {"gross": "-40.00", "customer_facing_amount": "-40.00"}
    lost = charge(payment, "txn_2", reporting_category="dispute", **chargeback)
    load(sources[0], report(charge(payment, "txn_1"), lost))
    reconcile(as_of=payment.settlement_due_on)

    undo_match(Match.objects.get(kind="dispute"), **WHY)
    reconcile(as_of=payment.settlement_due_on)

    assert not Match.objects.filter(kind="dispute").exists()
    assert payment.disputes.count() == 1
    assert opened() == [
        ("dispute_not_in_settlement", payment.disputes.get().reference),
        ("orphan_line", "txn_2"),
    ]


def test_a_match_whose_difference_was_written_off_is_undone_after_that_was_reversed(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    short = {"gross": "98.00", "customer_facing_amount": "98.00"}
    load(sources[0], report(charge(payment, "txn_1", **short)))
    reconcile()
    write_off = propose_write_off(
        Discrepancy.objects.get(), kind="write_off", reason_code="other", **WHY
    )

    with pytest.raises(InvalidTransition):
        undo_match(Match.objects.get(), **WHY)
    approve_write_off(write_off, actor=BOB)
    with pytest.raises(WriteOffStands):
        undo_match(Match.objects.get(), **WHY)
    assert not UndoneMatch.objects.exists()
