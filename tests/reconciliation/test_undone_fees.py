"""Fees that are taken back out of their group's entry: once, and in an open period."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from ledger.models import JournalEntry
from ledger.services.periods import close_period, define_periods
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from reconciliation.bookkeeping import entry_for_processor_fee
from reconciliation.days import start_of
from reconciliation.fee_groups import entry_of, fee_group_of, matches_in
from reconciliation.invariants import wrong_fees
from reconciliation.models import FeeGroup, Match, ReconciliationRun, StatementLine, UndoneMatch
from reconciliation.reports import canonical, known_horizon, tie_out_report
from reconciliation.selectors import tie_outs
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.undone_matches import undo_match
from tests.factories import (
    eur,
)
from tests.support.books import t_accounts
from tests.support.fee_groups import (
    ANN,
    DAY,
    LATER,
    WHY,
    all_is_proved,
    expense,
    fees,
    match_of,
    payments,
    reconciled,
)
from tests.support.reports import charge, load, report

__all__ = ["all_is_proved"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_undoing_takes_one_fee_out_once_and_matching_again_posts_it_anew(processor):
    paid = payments(3)
    reconciled(processor, paid, {}, {"fee": "2.00"})
    group = FeeGroup.objects.get()
    known_at = known_horizon()
    account = group.source_account
    signed = canonical(tie_out_report(account, day=LATER, known_at=known_at))

    for times in (1, 2):
        match = match_of("txn_1")
        undone = undo_match(match, **WHY)

        assert expense() == "3.30"
        taken = JournalEntry.objects.get(idempotency_key=f"processor_fee_undone:{match.public_id}")
        assert (taken.reference, taken.effective_at) == (
            paid[1].public_id,
            entry_of(group).effective_at,
        )
        assert t_accounts(paid[1].public_id)[-2:] == fees(("given_back", 2_00))
        assert (undone.match_number, UndoneMatch.objects.count()) == (match.pk, times)

        again = match_by_hand(StatementLine.objects.get(external_id="txn_1"), paid[1], **WHY)
        assert expense() == "5.30"
        assert fee_group_of(again).match_count == 1
        assert wrong_fees() == []

    assert set(matches_in(group)) == {match_of("txn_0"), match_of("txn_2")}
    assert canonical(tie_out_report(account, day=LATER, known_at=known_at)) == signed


def test_a_fee_of_a_closed_period_is_taken_out_when_the_next_begins(processor):
    define_periods("2024-01", "2024-02", zone="UTC", actor=ANN)
    (paid,) = payments(1)
    reconciled(processor, [paid], {"created_utc": "2024-01-10 12:00:00"})
    close_period("2024-01", actor=ANN)

    undo_match(match_of("txn_0"), **WHY)

    taken = JournalEntry.objects.get(kind="processor_fee_undone")
    assert taken.late_from == datetime(2024, 1, 10, tzinfo=UTC)
    assert taken.effective_at == datetime(2024, 2, 1, tzinfo=UTC)
    for day in (date(2024, 1, 31), date(2024, 2, 1)):
        assert not any(proof.difference for proof in tie_outs(day))


def test_a_fee_that_was_posted_by_itself_is_still_found_and_reversed(processor):
    """What was matched before there were groups."""
    (paid,) = payments(1)
    load(processor, report(charge(paid, "txn_0", created_utc=DAY)))
    line = StatementLine.objects.get()
    run = ReconciliationRun.objects.create(
        as_of=line.booked_on, rules={}, finished_at=timezone.now()
    )
    match = Match.objects.create(
        run=run,
        kind="payment",
        rule="exact_reference",
        rule_version=1,
        evidence={},
        line=line,
        amount=line.net,
        payment=paid,
    )
    assert [str(breach.problem) for breach in wrong_fees()] == ["its fee is posted 0 times"]
    post_entry(
        entry_for_processor_fee(
            "sim",
            eur("1.65"),
            key=line.public_id,
            reference=paid.public_id,
            effective_at=start_of(line.booked_on, processor.time_zone),
        )
    )
    assert (wrong_fees(), fee_group_of(match)) == ([], None)

    undo_match(match, **WHY)
    assert JournalEntry.objects.get(kind="reversal").reverses.kind == "processor_fee"
    assert expense() == "0.00"

    match_by_hand(line, paid, **WHY)
    assert expense() == "1.65"


def test_a_group_that_a_person_reversed_as_a_whole_gives_nothing_back_again(processor):
    paid = payments(2)
    reconciled(processor, paid)
    reverse_entry(entry_of(FeeGroup.objects.get()).public_id, reason="Wrong.", actor=ANN)
    assert expense() == "0.00"

    undo_match(match_of("txn_0"), **WHY)

    assert expense() == "0.00"
