"""Write-offs take two people, one at a time, and end when what they were about changes."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.errors import InvalidTransition
from ledger.models import AuditEvent, JournalEntry
from ledger.services.audit import ReasonMissing
from ledger.services.periods import close_period, open_period
from reconciliation.errors import (
    BookingNotPossible,
    ReasonCodeUnknown,
    WriteOffNeedsSecondPerson,
    WriteOffOutdated,
    WriteOffStands,
)
from reconciliation.models import WriteOff
from reconciliation.selectors import tie_out, tie_outs
from reconciliation.services.discrepancies import reopen, resolve
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    refuse_write_off,
    reverse_write_off,
    withdraw_write_off,
)
from tests.support.reports import (
    DAY,
    charge,
    load,
    report,
)
from tests.support.write_offs import (
    CHECKER,
    MAKER,
    WHY,
    items,
    missing,
    propose,
    unexplained,
    written_off,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_nobody_approves_what_he_asked_for(sources):
    write_off = propose(unexplained(sources))

    with pytest.raises(WriteOffNeedsSecondPerson):
        approve_write_off(write_off, actor=MAKER)

    write_off.refresh_from_db()
    assert write_off.status == "REQUESTED"


def test_database_wants_a_second_person_and_an_entry(sources):
    write_off = propose(unexplained(sources))

    for fields in (
        {"decided_by": str(MAKER), "journal_entry": "je_1"},
        {"decided_by": str(CHECKER), "journal_entry": ""},
    ):
        with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
            WriteOff.objects.filter(pk=write_off.pk).update(status="POSTED", **fields)


def test_one_write_off_at_a_time(sources):
    discrepancy = unexplained(sources)
    propose(discrepancy)

    with pytest.raises(InvalidTransition):
        propose(discrepancy)
    with pytest.raises(InvalidTransition):
        reopen(discrepancy, reason="No.", actor=MAKER)


@pytest.mark.parametrize(
    ("drop", "status"), [(refuse_write_off, "REFUSED"), (withdraw_write_off, "WITHDRAWN")]
)
def test_refused_or_withdrawn_nothing_moves_and_it_is_open_again(sources, drop, status):
    discrepancy = unexplained(sources)
    write_off = propose(discrepancy)
    before = JournalEntry.objects.count()

    with pytest.raises(ReasonMissing):
        drop(write_off, actor=CHECKER, reason=" ")
    drop(write_off, actor=CHECKER, reason="Ask the landlord.")

    write_off.refresh_from_db()
    discrepancy.refresh_from_db()
    assert (write_off.status, discrepancy.status) == (status, "OPEN")
    assert JournalEntry.objects.count() == before
    with pytest.raises(InvalidTransition):
        approve_write_off(write_off, actor=CHECKER)
    propose(discrepancy)


def test_reversed_it_is_open_again_on_both_sides(sources):
    discrepancy = unexplained(sources)
    write_off = written_off(discrepancy)

    with pytest.raises(WriteOffStands):
        reopen(discrepancy, reason="It was the rent.", actor=MAKER)
    reverse_write_off(write_off, actor=MAKER, reason="It was the rent.")

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.resolved_at, discrepancy.ended_by) == ("OPEN", None, "")
    assert items(sources[1]) == [(discrepancy.reference, "25.00")]
    with pytest.raises(InvalidTransition):
        reverse_write_off(write_off, actor=MAKER, reason="Again.")
    written_off(discrepancy, "booking")
    assert items(sources[1]) == []
    actions = AuditEvent.objects.filter(action__startswith="write_off.").order_by("pk")
    assert [event.action.split(".")[1] for event in actions] == [
        *("proposed", "approved", "reversed", "proposed", "approved")
    ]


def test_in_a_closed_period_it_takes_effect_when_the_next_one_begins(sources):
    discrepancy = unexplained(sources)
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    open_period("2026-03", starts_at=march, ends_at=april, actor=MAKER)
    write_off = propose(discrepancy)
    close_period("2026-03", actor=MAKER)

    write_off = approve_write_off(write_off, actor=CHECKER)

    entry = JournalEntry.objects.get(public_id=write_off.journal_entry)
    assert entry.effective_at == april
    account = sources[1].accounts.get()
    (proof,) = tie_outs(DAY, source=sources[1])
    assert [item.effect.text for item in proof.open_items] == ["25.00"]
    assert tie_out(account, day=april.date()).open_items == ()


def test_run_again_leaves_written_off_what_is_still_so(sources):
    discrepancy = missing(sources)
    written_off(discrepancy)

    run = reconcile(as_of=timezone.now().date())

    discrepancy.refresh_from_db()
    assert (discrepancy.status, run.discrepancy_count) == ("WRITTEN_OFF", 0)


def test_line_that_comes_after_the_write_off_opens_it_until_that_is_reversed(sources):
    discrepancy = missing(sources)
    write_off = written_off(discrepancy)
    load(sources[0], report(charge(discrepancy.payment, "txn_1")))

    run = reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"
    # Lost by our books, and there after all.
    assert items(sources[0]) == [(discrepancy.payment.reference, "-100.00")]
    for act in (propose, lambda it: resolve(it, actor=MAKER, **WHY)):
        with pytest.raises(WriteOffStands):
            act(discrepancy)
    reconcile(as_of=run.as_of)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"

    reverse_write_off(write_off, actor=MAKER, reason="It came.")
    reconcile(as_of=run.as_of)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.ended_by) == ("RESOLVED", "")
    assert items(sources[0]) == []


def test_line_that_comes_before_the_approval_makes_it_outdated(sources):
    discrepancy = missing(sources)
    write_off = propose(discrepancy)
    load(sources[0], report(charge(discrepancy.payment, "txn_1")))
    run = reconcile(as_of=discrepancy.since)

    with pytest.raises(WriteOffOutdated):
        approve_write_off(write_off, actor=CHECKER)

    withdraw_write_off(write_off, actor=MAKER, reason="It came.")
    reconcile(as_of=run.as_of)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "RESOLVED"


def test_what_nobody_can_book_is_refused(sources):
    discrepancy = missing(sources)

    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "booking")
    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "gift")
    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "write_off", counter_account="suspense:EUR")
    with pytest.raises(ReasonCodeUnknown):
        propose(discrepancy, reason_code="because")
    with pytest.raises(ReasonMissing):
        propose(discrepancy, reason=" ")
    assert not WriteOff.objects.exists()
