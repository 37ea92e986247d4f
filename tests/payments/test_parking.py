"""Work nobody can do: it keeps nobody else, is parked, and tried again or given up by people."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from payments import queues, work
from payments.errors import JobNotOpen
from payments.models import JobRun, ParkedWork
from payments.services.authorisations import capture_payment
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
from tests.factories import AuthorizedPaymentFactory
from tests.support.chores import Chores, Clock, chores, end_leases, fail_for
from tests.support.gateways import WorkerDied
from tests.support.races import run_together

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
MAKER, CHECKER = Actor("user", "1", "maker"), Actor("user", "2", "checker")
QUEUE = "payments_jobrun"


def parked_chore(problem: str = "It does not work.") -> tuple[JobRun, ParkedWork]:
    """A chore that was parked long enough ago to be discarded."""
    (row,) = chores(1)
    row.attempts, row.deaths, row.failures = 11, 2, 8
    row.save()
    park(row, problem)
    row.refresh_from_db()
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(seconds=121))
    return row, ParkedWork.objects.get()


def deaths() -> Counter[int]:
    return Counter(JobRun.objects.values_list("deaths", flat=True))


# --- Who is to blame is found, and the others go on -----------------------------------------


@pytest.mark.django_db
def test_row_that_always_fails_is_parked_after_8_failures_and_the_others_are_done_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, MONDAY)
    chores(100)
    workers = Chores(fail_for("0042"))

    assert workers.work_off() == 100

    assert JobRun.objects.filter(status="DONE", attempts=1).count() == 99
    failed_after = [0]
    while due_at := JobRun.objects.get(status="DUE").due_at:
        clock.now = due_at
        failed_after.append(int((due_at - MONDAY).total_seconds()))
        assert workers.work_off() == 1

    assert failed_after == [0, 5, 15, 35, 75, 155, 315, 635]
    row = JobRun.objects.get(business_period="0042")
    assert (row.status, row.due_at, row.holder) == ("DUE", None, None)
    assert (row.attempts, row.failures, row.deaths) == (8, 8, 0)
    assert row.problem == "ValueError: cannot do 0042"
    parked = ParkedWork.objects.get()
    assert (parked.queue, parked.row_id, parked.subject) == (QUEUE, row.pk, "chore 0042")
    assert (parked.attempts, parked.failures, parked.deaths) == (8, 8, 0)
    assert (parked.problem, parked.parked_at) == (row.problem, clock.now)
    clock.now += timedelta(days=1)
    assert workers.work_off() == 0
    assert workers.done == Counter(f"{number:04}" for number in range(100) if number != 42)


@pytest.mark.django_db
def test_one_bad_row_among_1000_is_found_by_halving() -> None:
    chores(1_000)
    workers = Chores(fail_for("0617"))

    assert workers.work_off() == 1_000

    assert workers.tried == [
        *(1_000, 500, 500, 250, 125, 62, 63, 31, 32, 16, 16, 8, 8, 4, 2, 1, 1, 2, 4, 125, 250)
    ]
    assert JobRun.objects.filter(status="DONE", attempts=1, failures=0).count() == 999
    assert JobRun.objects.get(status="DUE").failures == 1


@pytest.mark.django_db
def test_innocent_rows_are_not_parked_by_a_worker_killed_three_times() -> None:
    """Nobody knows who did it: they are taken in ever smaller batches, the least suspect first."""
    chores(1_000)
    kills = iter([True] * 3)

    def die_sometimes(periods: list[str]) -> None:
        if next(kills, False):
            raise WorkerDied

    workers = Chores(die_sometimes)
    for _ in range(3):
        with pytest.raises(WorkerDied):
            workers.work_off()
        end_leases()
    assert workers.tried == [1_000, 32, 32]
    while workers.work_off():
        pass

    assert workers.tried[3:] == [32] * 29 + [8] + [1] * 64
    assert deaths() == {1: 936, 2: 64}
    assert JobRun.objects.filter(status="DONE").count() == 1_000
    assert not ParkedWork.objects.exists()


@pytest.mark.django_db
def test_row_that_kills_its_workers_is_parked_after_3_deaths_and_alone() -> None:
    chores(100)

    def die_of_it(periods: list[str]) -> None:
        if "0050" in periods:
            raise WorkerDied

    workers = Chores(die_of_it)
    died = 0
    while JobRun.objects.filter(due_at__isnull=False).exists():
        try:
            workers.work_off()
        except WorkerDied:
            died += 1
            end_leases()

    assert died == 3
    assert JobRun.objects.filter(status="DONE").count() == 99
    assert deaths() == {1: 68, 2: 31, 3: 1}
    parked = ParkedWork.objects.get()
    assert (parked.subject, parked.deaths, parked.failures) == ("chore 0050", 3, 0)
    assert parked.attempts == 4  # the fourth only found that it is not to be tried
    assert parked.problem == "3 workers died while they held it."


@pytest.mark.django_db(transaction=True)
def test_rows_are_free_at_once_when_the_database_was_lost() -> None:
    chores(5)

    def lose_the_database(periods: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        Chores(lose_the_database).work_off()

    assert JobRun.objects.filter(holder=None, attempts=1, deaths=0, failures=0).count() == 5
    again = Chores()
    assert again.work_off() == 5
    assert again.tried == [5]
    assert deaths() == {0: 5}


@pytest.mark.django_db
def test_problem_that_postgresql_cannot_keep_is_kept_as_it_can() -> None:
    (row,) = chores(1)
    for _ in range(8):
        note_failure(row, ValueError("nul \0, half a pair \ud800, " + 20_000 * "x"))

    parked = ParkedWork.objects.get()
    assert parked.problem.startswith("ValueError: nul , half a pair \\ud800, xxx")
    assert len(parked.problem) < 10_100
    assert JobRun.objects.get().problem == parked.problem[:500]


@pytest.mark.django_db
def test_row_that_somebody_else_made_due_while_it_was_parked_is_parked_again() -> None:
    payment = AuthorizedPaymentFactory()
    park(payment, "It could not expire.")
    ask_to_discard(ParkedWork.objects.get(), actor=MAKER, reason="Why not")

    capture_payment(payment, actor=MAKER)
    payment.refresh_from_db()
    park(payment, "It could not be captured.")

    parked = ParkedWork.objects.get()
    assert (parked.problem, parked.discard_asked_by) == ("It could not be captured.", "")


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


@pytest.mark.django_db(transaction=True)
def test_row_whose_statement_takes_too_long_keeps_nobody_else() -> None:
    """PostgreSQL says it with the error of a lost connection; the connection is there."""
    chores(100)

    def take_too_long(periods: list[str]) -> None:
        if "0050" in periods:
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 50")
                try:
                    cursor.execute("SELECT pg_sleep(1)")
                finally:
                    cursor.execute("RESET statement_timeout")

    Chores(take_too_long).work_off()

    assert JobRun.objects.filter(status="DONE", attempts=1).count() == 99
    assert JobRun.objects.get(status="DUE").failures == 1


@pytest.mark.django_db(transaction=True)
def test_row_that_never_ends_is_parked_as_if_it_killed_its_workers() -> None:
    chores(100)

    def never_end(periods: list[str]) -> None:
        if "0050" in periods:
            raise SoftTimeLimitExceeded

    workers = Chores(never_end)
    interrupted = 0
    while JobRun.objects.filter(due_at__isnull=False).exists():
        try:
            workers.work_off()
        except SoftTimeLimitExceeded:
            interrupted += 1

    assert interrupted == 3
    assert JobRun.objects.filter(status="DONE").count() == 99
    assert ParkedWork.objects.get().subject == "chore 0050"


@pytest.mark.django_db
def test_suspects_take_their_turn_however_many_others_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, MONDAY)
    chores(1)
    JobRun.objects.update(deaths=1, leased_until=MONDAY)
    workers = Chores()
    taken_after = None
    for second in range(20):
        clock.now = MONDAY + timedelta(seconds=second)
        JobRun.objects.create(job="other", business_period=f"{second}", due_at=clock.now)
        workers.work_off()
        if taken_after is None and workers.done["0000"]:
            taken_after = second

    assert taken_after == 10
