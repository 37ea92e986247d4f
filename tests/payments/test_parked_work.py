"""Work that was parked: tried again, or given up by two people."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from payments import queues, work
from payments.errors import JobNotOpen
from payments.models import JobRun, ParkedWork
from payments.services.engine import do_rows
from payments.services.giving_up import GiveUpTooEarly
from payments.services.parking import (
    DiscarderIsRequester,
    DiscardNotRequested,
    NotParkedAnyMore,
    ParkedWorkResolved,
    ask_to_discard,
    discard,
    note_failure,
    park,
    retry_parked,
)
from tests.support.chores import Chores, chores
from tests.support.races import run_together

MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")


def parked_chore(problem: str = "It does not work.") -> tuple[JobRun, ParkedWork]:
    """A chore that was parked long enough ago to be discarded."""
    (row,) = chores(1)
    row.attempts, row.deaths, row.failures = 11, 2, 8
    row.save()
    park(row, problem)
    row.refresh_from_db()
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(seconds=121))
    return row, ParkedWork.objects.get()


# --- Tried again --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_retried_row_is_due_at_once_with_nothing_counted_against_it() -> None:
    row, parked = parked_chore()

    done = retry_parked(parked, actor=MAKER, reason="The bug is fixed.")

    before = row.fence
    row.refresh_from_db()
    assert row.due_at is not None
    assert row.due_at <= timezone.now()
    assert (row.deaths, row.failures, row.problem, row.holder) == (0, 0, "", None)
    assert (row.attempts, row.fence) == (11, before + 1)
    assert (done.resolution, done.resolved_by) == ("RETRIED", "user:maker")
    event = AuditEvent.objects.get(action="work.retried")
    assert (event.subject, event.actor_label) == ("chore 0000", "maker")
    assert (event.reason, event.after) == ("The bug is fixed.", {"is_due": True})
    assert (event.before["problem"], event.before["failures"]) == ("It does not work.", 8)
    assert Chores().work_off() == 1


@pytest.mark.django_db
def test_retry_takes_a_reason_and_happens_once() -> None:
    row, parked = parked_chore()

    with pytest.raises(ReasonMissing):
        retry_parked(parked, actor=MAKER, reason=" ")
    row.refresh_from_db()
    assert row.due_at is None

    retry_parked(parked, actor=MAKER, reason="Again")
    with pytest.raises(ParkedWorkResolved):
        retry_parked(parked, actor=MAKER, reason="Again")
    assert AuditEvent.objects.count() == 1


@pytest.mark.django_db
def test_retry_clears_the_record_of_a_row_that_is_over_by_now() -> None:
    row, parked = parked_chore()
    JobRun.objects.update(status="DONE")

    retry_parked(parked, actor=MAKER, reason="It is done.")

    row.refresh_from_db()
    assert (row.status, row.due_at, row.failures) == ("DONE", None, 8)
    assert ParkedWork.objects.get().resolution == "RETRIED"
    assert AuditEvent.objects.get().after == {"is_due": False}


@pytest.mark.django_db
def test_worker_that_was_lost_long_ago_writes_nothing_to_a_retried_row() -> None:
    chores(1)
    (claimed,) = work.claim(JobRun)
    park(claimed, "Parked behind its back.")

    retry_parked(ParkedWork.objects.get(), actor=MAKER, reason="Again")
    do_rows([claimed], Chores().trade)
    note_failure(claimed, ValueError("late"))
    park(claimed, "late")

    row = JobRun.objects.get()
    assert row.due_at is not None
    assert (row.failures, row.problem, row.fence) == (0, "", 3)


# --- Given up, by two people -----------------------------------------------------------------


@pytest.mark.django_db
def test_row_is_given_up_by_somebody_else_than_who_asked_for_it() -> None:
    row, parked = parked_chore()

    with pytest.raises(DiscardNotRequested):
        discard(parked, actor=CHECKER)
    ask_to_discard(parked, actor=MAKER, reason="Nobody needs it.")
    with pytest.raises(DiscarderIsRequester):
        discard(parked, actor=MAKER)
    row.refresh_from_db()
    assert (row.status, row.due_at) == ("DUE", None)

    done = discard(parked, actor=CHECKER, reason="Agreed.")

    row.refresh_from_db()
    assert (row.status, row.due_at, row.result) == ("SKIPPED", None, "Given up by user:checker.")
    assert (done.resolution, done.resolved_by) == ("DISCARDED", "user:checker")
    assert (done.discard_asked_by, done.discard_reason) == ("user:maker", "Nobody needs it.")
    asked, agreed = AuditEvent.objects.order_by("id")
    assert (asked.action, asked.actor_label) == ("work.discard_requested", "maker")
    assert (asked.subject, asked.reason) == ("chore 0000", "Nobody needs it.")
    assert (agreed.action, agreed.actor_label) == ("work.discarded", "checker")
    assert (agreed.subject, agreed.reason) == ("chore 0000", "Agreed.")
    assert agreed.before["discard_asked_by"] == "user:maker"
    for step in (retry_parked, ask_to_discard, discard):
        with pytest.raises(ParkedWorkResolved):
            step(parked, actor=CHECKER, reason="Once more")


@pytest.mark.django_db
def test_nothing_is_discarded_while_a_lost_worker_may_still_run() -> None:
    row, parked = parked_chore()
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(seconds=110))
    ask_to_discard(parked, actor=MAKER, reason="Nobody needs it.")

    with pytest.raises(GiveUpTooEarly):
        discard(parked, actor=CHECKER)

    row.refresh_from_db()
    assert row.status == "DUE"


@pytest.mark.django_db
def test_what_give_up_refuses_leaves_everything_as_it_was() -> None:
    """The outcome arrives while it is being discarded."""
    row, parked = parked_chore()
    ask_to_discard(parked, actor=MAKER, reason="Nobody needs it.")
    JobRun.objects.update(status="DONE")

    with pytest.raises(JobNotOpen):
        discard(parked, actor=CHECKER)

    row.refresh_from_db()
    assert row.status == "DONE"
    assert ParkedWork.objects.get().resolution == ""
    assert not AuditEvent.objects.filter(action="work.discarded").exists()


@pytest.mark.django_db
def test_row_that_has_moved_on_is_not_discarded_but_cleared() -> None:
    _, parked = parked_chore()
    ask_to_discard(parked, actor=MAKER, reason="Nobody needs it.")
    JobRun.objects.update(due_at=timezone.now())

    with pytest.raises(NotParkedAnyMore):
        discard(parked, actor=CHECKER)

    assert ParkedWork.objects.get().resolution == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked_by", "resolved_by"), [("user:maker", "user:maker"), ("", "user:checker")]
)
def test_database_knows_that_it_takes_two(asked_by: str, resolved_by: str) -> None:
    _, parked = parked_chore()

    with pytest.raises(IntegrityError, match="payments_parkedwork_discarded_by_two"):
        ParkedWork.objects.filter(pk=parked.pk).update(
            discard_asked_by=asked_by,
            discard_reason="Nobody needs it.",
            resolution="DISCARDED",
            resolved_by=resolved_by,
            resolved_at=timezone.now(),
        )


@pytest.mark.django_db(transaction=True)
def test_of_many_people_at_once_one_decides() -> None:
    row, parked = parked_chore()
    ask_to_discard(parked, actor=MAKER, reason="Nobody needs it.")
    people = [Actor("user", str(number), f"checker {number}") for number in range(4)]

    outcomes = run_together(
        *(lambda who=who: discard(parked, actor=who) for who in people),
        *(lambda who=who: retry_parked(parked, actor=who, reason="Again") for who in people),
    )

    decided = [outcome for outcome in outcomes if isinstance(outcome, ParkedWork)]
    refused = [type(outcome) for outcome in outcomes if not isinstance(outcome, ParkedWork)]
    assert len(decided) == 1
    assert set(refused) <= {ParkedWorkResolved, NotParkedAnyMore}
    row.refresh_from_db()
    expected = ("SKIPPED", True) if decided[0].resolution == "DISCARDED" else ("DUE", False)
    assert (row.status, row.due_at is None) == expected
    assert AuditEvent.objects.exclude(action="work.discard_requested").count() == 1


def test_every_queue_can_be_given_up() -> None:
    autodiscover_modules("tasks")

    assert len(queues.every()) >= 5
    assert all(queue.give_up for queue in queues.every())
