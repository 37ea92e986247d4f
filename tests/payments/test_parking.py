"""Work nobody can do keeps nobody else: who is to blame is found and parked."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection

from ledger.actors import Actor
from payments.models import JobRun, ParkedWork
from payments.services.authorisations import capture_payment
from payments.services.parking import (
    ask_to_discard,
    note_failure,
    park,
)
from tests.factories import AuthorizedPaymentFactory
from tests.support.chores import Chores, Clock, chores, end_leases, fail_for
from tests.support.gateways import WorkerDied

MAKER = Actor("user", "1", "maker")

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUEUE = "payments_jobrun"


def deaths() -> Counter[int]:
    return Counter(JobRun.objects.values_list("deaths", flat=True))


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
