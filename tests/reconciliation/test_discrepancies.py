"""What people do about discrepancies, and what runs do and leave after them."""

import pytest
from django.contrib.auth.models import User

from ledger.errors import Invalid, InvalidTransition
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing, ReasonTooLong
from reconciliation.errors import DiscrepancyIsSettled, ReasonCodeUnknown
from reconciliation.models import Discrepancy
from reconciliation.results import ResultStatus, results_of
from reconciliation.selectors import open_discrepancies, tie_outs
from reconciliation.services.discrepancies import (
    NOTE_LENGTH_MAX,
    add_note,
    assign,
    investigate,
    reopen,
    resolve,
)
from reconciliation.services.runs import reconcile
from tests.factories import eur
from tests.support.reports import DAY, bank_of, charge, load, report
from tests.support.write_offs import (
    CHECKER,
    MAKER,
    WHY,
    missing,
    propose,
    unexplained,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.com")


def end(discrepancy: Discrepancy, **changes: str) -> Discrepancy:
    return resolve(discrepancy, actor=MAKER, **{**WHY, **changes})


def events() -> list[str]:
    found = AuditEvent.objects.filter(action__startswith="discrepancy.").order_by("pk")
    return [event.action.split(".")[1] for event in found]


def test_life_of_a_discrepancy_is_in_the_audit_trail(sources, anna):
    discrepancy = unexplained(sources)

    assert assign(discrepancy, anna, actor=MAKER).owner == anna
    assert investigate(discrepancy, actor=MAKER).status == "INVESTIGATING"
    note = add_note(discrepancy, " The landlord was paid twice. ", actor=MAKER)
    ended = end(discrepancy, reason_code="our_error", reason=" Paid back. ")
    again = reopen(discrepancy, reason="Not paid back.", actor=CHECKER)

    assert (note.author, note.text) == ("user:maker@example.com", "The landlord was paid twice.")
    assert (ended.status, ended.reason_code, ended.resolution, ended.ended_by) == (
        "RESOLVED",
        "our_error",
        "Paid back.",
        "user:maker@example.com",
    )
    assert (again.status, again.reason_code, again.resolution, again.ended_by) == (
        "OPEN",
        "",
        "",
        "",
    )
    assert again.owner == anna
    assert events() == ["assigned", "investigated", "noted", "resolved", "reopened"]
    last = AuditEvent.objects.latest("pk")
    assert (last.reason, last.before["ended_by"]) == ("Not paid back.", "user:maker@example.com")


def test_resolved_it_stays_an_open_item_of_the_tie_out(sources):
    """A person's word moves no money."""
    discrepancy = unexplained(sources)

    end(discrepancy)

    (proof,) = tie_outs(DAY, source=sources[1])
    assert (proof.open.text, proof.difference.text) == ("25.00", "0.00")
    assert not open_discrepancies().exists()


def test_what_makes_no_sense_is_refused_and_changes_nothing(sources):
    discrepancy = unexplained(sources)

    with pytest.raises(ReasonCodeUnknown):
        end(discrepancy, reason_code="because")
    with pytest.raises(ReasonMissing):
        end(discrepancy, reason=" ")
    with pytest.raises(ReasonTooLong):
        end(discrepancy, reason="x" * 501)
    for text in (" ", "\0", "x" * (NOTE_LENGTH_MAX + 1)):
        with pytest.raises(Invalid):
            add_note(discrepancy, text, actor=MAKER)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.notes.count(), events()) == ("OPEN", 0, [])


def test_what_is_settled_is_neither_assigned_nor_ended_twice(sources, anna):
    discrepancy = unexplained(sources)
    end(discrepancy)

    with pytest.raises(DiscrepancyIsSettled):
        assign(discrepancy, anna, actor=MAKER)
    for act in (end, lambda it: investigate(it, actor=MAKER), propose):
        with pytest.raises(InvalidTransition):
            act(discrepancy)


def test_everything_unsettled_is_open_to_others(sources):
    discrepancy = unexplained(sources)

    investigate(discrepancy, actor=MAKER)
    assert list(open_discrepancies()) == [discrepancy]
    propose(discrepancy)
    assert list(open_discrepancies()) == [discrepancy]


def test_next_run_leaves_ended_what_a_person_ended(sources):
    discrepancy = missing(sources)
    end(discrepancy)

    run = reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.ended_by) == ("RESOLVED", "user:maker@example.com")
    assert run.discrepancy_count == 0


def test_evidence_ends_what_somebody_investigates(sources):
    discrepancy = missing(sources)
    investigate(discrepancy, actor=MAKER)
    load(sources[0], report(charge(discrepancy.payment, "txn_1")))

    run = reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.resolved_by, discrepancy.ended_by) == (
        "RESOLVED",
        run,
        "",
    )


@pytest.mark.parametrize("act", [end, lambda it: investigate(it, actor=MAKER), propose])
def test_merchant_still_sees_what_is_worked_on(sources, act):
    discrepancy = missing(sources)
    act(discrepancy)

    (payment,) = results_of(discrepancy.payment.merchant)

    assert payment.result_status == ResultStatus.MISSING_SETTLEMENT


def gap(sources, closing: bytes) -> Discrepancy:
    """A bank statement of 1000.00 + 10.00 that says it closes elsewhere."""
    bank = bank_of()
    bank.book(eur("10.00"), counterparty="Tenant", text="RENT")
    load(sources[1], bank.statement().replace(b"1010.00", closing))
    reconcile(as_of=DAY)
    return Discrepancy.objects.get(type="balance_gap")


def test_gap_that_a_person_ended_stays_ended_while_it_is_the_same(sources):
    discrepancy = gap(sources, b"1011.00")
    end(discrepancy)

    reconcile(as_of=DAY)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.amount) == ("RESOLVED", 1_00)


def test_gap_that_became_another_one_is_open_again(sources):
    discrepancy = gap(sources, b"1011.00")
    end(discrepancy)
    line = discrepancy.source.accounts.get().lines.get()
    line.gross, line.net = 4_00, 4_00  # as if another line had come to be
    line.save()

    reconcile(as_of=DAY)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.amount, discrepancy.ended_by) == ("OPEN", 7_00, "")
    assert discrepancy.actual == "1011.00"
