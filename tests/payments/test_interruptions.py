"""A connection that is lost says nothing about the rows that were being worked on."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from payments.models import JobRun
from payments.services import jobs
from payments.services.engine import Trade, work_off_batch
from payments.services.jobs import Job, run_due_jobs
from tests.support.chores import Chores, chores
from tests.support.own_names import database_url_of_tests

pytestmark = pytest.mark.django_db(transaction=True)


def kill_own_backend() -> None:
    """As an administrator, a failover or the kernel would, from outside."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(database_url_of_tests(), autocommit=True) as outside:
        outside.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def interrupted_once(where: Callable[[Chores, Callable[[], None]], None]) -> None:
    """The batch is given back as it was, with nothing counted against any row, and then done."""
    chores(3)
    workers, kills = Chores(), iter([kill_own_backend])
    where(workers, lambda: next(kills, lambda: None)())

    with pytest.raises(OperationalError):
        workers.work_off()

    now = timezone.now()
    for row in JobRun.objects.all():
        assert (row.status, row.holder, row.failures, row.deaths) == ("DUE", None, 0, 0)
        assert row.due_at is not None
        assert row.due_at <= now
    assert workers.tried == [3]
    assert workers.work_off() == 3
    assert JobRun.objects.filter(status="DONE", failures=0).count() == 3


def test_connection_lost_while_outcomes_are_written_is_no_rows_failure() -> None:
    def lose_it_in_the_middle(workers: Chores, lose: Callable[[], None]) -> None:
        def write(held: list[JobRun], findings: None) -> None:
            workers.write(held[:1], findings)
            lose()
            workers.write(held[1:], findings)

        workers.trade = Trade(JobRun, find=workers.find, write=write)

    interrupted_once(lose_it_in_the_middle)


def test_connection_lost_when_outcomes_are_committed_is_no_rows_failure() -> None:
    def lose_it_at_the_end(workers: Chores, lose: Callable[[], None]) -> None:
        def write(held: list[JobRun], findings: None) -> None:
            workers.write(held, findings)
            lose()

        workers.trade = Trade(JobRun, find=workers.find, write=write)

    interrupted_once(lose_it_at_the_end)


def test_connection_lost_inside_a_savepoint_is_no_rows_failure() -> None:
    def lose_it_deep_inside(workers: Chores, lose: Callable[[], None]) -> None:
        def write(held: list[JobRun], findings: None) -> None:
            with transaction.atomic():
                lose()
                workers.write(held, findings)

        workers.trade = Trade(JobRun, find=workers.find, write=write)

    interrupted_once(lose_it_deep_inside)


def test_connection_lost_inside_a_job_is_not_the_jobs_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = iter([kill_own_backend])

    @transaction.atomic
    def work(period: str) -> str:
        next(runs, lambda: None)()
        return f"{JobRun.objects.count()} for {period}"

    monkeypatch.setattr(jobs, "_jobs", {"cut off": Job("cut off", None, work)})
    JobRun.objects.create(job="cut off", business_period="2026-03-02", due_at=timezone.now())

    with pytest.raises(OperationalError):
        run_due_jobs()
    assert JobRun.objects.get().failures == 0
    run_due_jobs()

    assert JobRun.objects.get().result == "1 for 2026-03-02"


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL lock_timeout = 20; LOCK TABLE payments_merchant",
        "SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)",
    ],
)
def test_lock_or_statement_that_takes_too_long_is_the_rows_failure(statement: str) -> None:
    (row,) = chores(1)

    def write(held: list[JobRun], _: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    with psycopg.connect(database_url_of_tests()) as other:
        other.execute("LOCK TABLE payments_merchant")
        assert work_off_batch(Trade(JobRun, find=lambda rows: None, write=write)) == 1

    row.refresh_from_db()
    assert (row.failures, row.holder) == (1, None)
    assert row.problem.startswith("OperationalError: canceling statement due to")
