"""Jobs: once per business period, in order, whatever becomes of schedulers and workers."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from payments import work
from payments.errors import JobIsParked, JobNotItsTurn, JobNotOpen
from payments.models import JobRun, ParkedWork
from payments.schedules import Daily
from payments.services import jobs
from payments.services.jobs import (
    BEFORE_OUR_TIME,
    Job,
    enqueue_due,
    give_up_job,
    purge_job_runs,
    run_due_jobs,
    run_now,
    skip_job,
    state_of,
)
from tests.support.races import run_together

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("tests")
DAILY = Daily(time(0, 10), lambda: [ZoneInfo("UTC")])


class Diary:
    """A job that writes down for which periods it was run, and fails if told so."""

    def __init__(self) -> None:
        self.periods: list[str] = []
        self.trouble: Exception | None = None

    def run(self, period: str) -> str:
        if self.trouble:
            raise self.trouble
        self.periods.append(period)
        return f"did {period}"


@pytest.fixture
def timetable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty one, given back afterwards."""
    monkeypatch.setattr(jobs, "_jobs", {})


@pytest.fixture
def diary(timetable: None) -> Iterator[Diary]:
    """The job `daily` has been on the timetable since 1 March 2025."""
    diary = Diary()
    jobs.register(Job("daily", DAILY, diary.run))
    enqueue_due(at("03-02"))
    yield diary
    assert not JobRun.objects.filter(status="DONE", due_at__isnull=False).exists()


def at(day: str, clock: str = "12:00") -> datetime:
    return datetime.fromisoformat(f"2025-{day}T{clock}").replace(tzinfo=UTC)


def states() -> dict[str, str]:
    now = timezone.now()
    runs = JobRun.objects.order_by("business_period")
    return {run.business_period[5:]: state_of(run, now=now) for run in runs}


def work_off() -> int:
    taken = 0
    while run_due_jobs():
        taken += 1
    return taken


def test_job_that_is_new_begins_with_the_next_period(diary: Diary) -> None:
    anchor = JobRun.objects.get()
    assert (anchor.business_period, anchor.status) == ("2025-03-01", "SKIPPED")
    assert anchor.result == BEFORE_OUR_TIME

    enqueue_due(at("03-03", "00:09"))
    assert work_off() == 0
    enqueue_due(at("03-03", "00:10"))
    assert work_off() == 1

    run = JobRun.objects.latest("business_period")
    assert (run.business_period, run.status, run.result) == ("2025-03-02", "DONE", "did 2025-03-02")
    assert (run.due_at, run.holder, run.attempts) == (None, None, 1)
    assert run.started_at
    assert run.finished_at
    assert run.started_at <= run.finished_at
    assert diary.periods == ["2025-03-02"]


def test_periods_are_written_down_once_however_often_it_is_asked(diary: Diary) -> None:
    for _ in range(3):
        enqueue_due(at("03-05"))
        work_off()

    assert diary.periods == ["2025-03-02", "2025-03-03", "2025-03-04"]


@pytest.mark.django_db(transaction=True)
def test_schedulers_at_the_same_moment_write_each_period_once(diary: Diary) -> None:
    for day in ("03-05", "03-08", "03-20"):
        outcomes = run_together(*[lambda day=day: enqueue_due(at(day))] * 5)
        assert outcomes == [None] * 5

    assert JobRun.objects.count() == 19
    assert JobRun.objects.filter(due_at__isnull=False).count() == 1
    assert work_off() == 18
    assert diary.periods == [f"2025-03-{day:02}" for day in range(2, 20)]


def test_long_pause_is_caught_up_piece_by_piece_oldest_first(diary: Diary) -> None:
    for expected in (31, 31, 29, 0):
        before = JobRun.objects.count()
        enqueue_due(at("06-01"))
        assert JobRun.objects.count() - before == expected
    work_off()

    assert len(diary.periods) == 91
    assert diary.periods == sorted(diary.periods)
    assert (diary.periods[0], diary.periods[-1]) == ("2025-03-02", "2025-05-31")


def test_later_period_waits_until_the_earlier_one_is_done(diary: Diary) -> None:
    diary.trouble = ValueError("not today")
    enqueue_due(at("03-05"))

    assert work_off() == 1

    assert states() == {
        "03-01": "SKIPPED",
        "03-02": "RETRYING",
        "03-03": "WAITING",
        "03-04": "WAITING",
    }
    failed = JobRun.objects.get(business_period="2025-03-02")
    assert (failed.failures, failed.problem) == (1, "ValueError: not today")

    diary.trouble = None
    run_now(failed, actor=ACTOR, reason="It is mended.")
    assert work_off() == 3
    assert diary.periods == ["2025-03-02", "2025-03-03", "2025-03-04"]


def test_jobs_do_not_wait_for_each_other(diary: Diary) -> None:
    other = Diary()
    jobs.register(Job("other", DAILY, other.run))
    enqueue_due(at("03-02"))
    diary.trouble = ValueError("not today")

    enqueue_due(at("03-04"))
    assert work_off() == 3

    assert diary.periods == []
    assert other.periods == ["2025-03-02", "2025-03-03"]


def test_job_that_fails_eight_times_is_parked_and_can_be_given_up(diary: Diary) -> None:
    diary.trouble = ValueError("never")
    enqueue_due(at("03-04"))
    for attempt in range(1, 9):
        assert work_off() == 1, attempt
        JobRun.objects.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
    assert work_off() == 0

    run = JobRun.objects.get(business_period="2025-03-02")
    assert (run.failures, run.due_at, state_of(run, now=timezone.now())) == (8, None, "PARKED")
    assert ParkedWork.objects.get().problem == "ValueError: never"
    enqueue_due(at("03-05"))
    assert states()["03-03"] == "WAITING"
    for step in (run_now, skip_job):
        with pytest.raises(JobIsParked):
            step(run, actor=ACTOR, reason="Impatience.")

    diary.trouble = None
    give_up_job(run, ACTOR)

    run.refresh_from_db()
    assert (run.status, run.result) == ("SKIPPED", "Given up by system:tests.")
    assert work_off() == 2
    assert diary.periods == ["2025-03-03", "2025-03-04"]


def test_skipped_period_is_never_run_and_the_next_one_follows(diary: Diary) -> None:
    enqueue_due(at("03-04"))
    run = JobRun.objects.get(business_period="2025-03-02")

    with pytest.raises(ReasonMissing):
        skip_job(run, actor=ACTOR, reason=" ")
    assert states()["03-02"] == "DUE"
    skip_job(run, actor=ACTOR, reason="A holiday.")

    assert work_off() == 1
    assert diary.periods == ["2025-03-03"]
    event = AuditEvent.objects.get(action="job.skipped")
    assert (event.subject, event.reason) == ("job:daily:2025-03-02", "A holiday.")
    with pytest.raises(JobNotOpen):
        skip_job(run, actor=ACTOR, reason="Again.")
    with pytest.raises(JobNotOpen):
        run_now(run, actor=ACTOR, reason="After all.")


def test_nobody_jumps_the_queue(diary: Diary) -> None:
    enqueue_due(at("03-04"))
    second = JobRun.objects.get(business_period="2025-03-03")

    with pytest.raises(JobNotItsTurn, match="daily 2025-03-03 follows when daily 2025-03-02"):
        run_now(second, actor=ACTOR, reason="Impatience.")

    second.refresh_from_db()
    assert second.due_at is None


def test_job_skipped_while_it_runs_is_not_written_down_as_done(diary: Diary) -> None:
    enqueue_due(at("03-04"))
    run = JobRun.objects.get(business_period="2025-03-02")
    jobs.register(
        Job("daily", DAILY, lambda _: skip_job(run, actor=ACTOR, reason="Now.") or "did it")
    )

    assert run_due_jobs() == 1

    run.refresh_from_db()
    assert (run.status, run.result) == ("SKIPPED", "Skipped by system:tests.")
    assert states()["03-03"] == "DUE"


def test_one_job_at_a_time_leaves_the_other_processes_to_payments(diary: Diary) -> None:
    other = Diary()
    jobs.register(Job("other", DAILY, other.run))
    enqueue_due(at("03-02"))
    enqueue_due(at("03-03"))
    assert len(work.claim(JobRun, limit=1)) == 1

    assert run_due_jobs() == 0

    JobRun.objects.filter(holder__isnull=False).update(leased_until=timezone.now())
    assert work_off() == 2


def test_job_nobody_knows_any_more_fails_and_says_so(diary: Diary) -> None:
    enqueue_due(at("03-03"))
    jobs._jobs.clear()

    work_off()

    assert JobRun.objects.get(status="DUE").problem == (
        "JobFailed: There is no job 'daily' on the timetable."
    )


@pytest.mark.django_db(transaction=True)
def test_statement_that_takes_too_long_is_a_failure_of_the_job(diary: Diary) -> None:
    """Only a lost database is nobody's fault; else the job would be tried again without a pause."""

    def sleep(period: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10ms'")
            try:
                cursor.execute("SELECT pg_sleep(1)")
            finally:
                cursor.execute("RESET statement_timeout")
        return period

    jobs.register(Job("daily", DAILY, sleep))
    enqueue_due(at("03-03"))

    assert run_due_jobs() == 1

    run = JobRun.objects.get(status="DUE")
    assert run.failures == 1
    assert "statement timeout" in run.problem
    assert run.due_at
    assert run.due_at > timezone.now()


@pytest.mark.django_db(transaction=True)
def test_lost_database_is_nobodys_fault(diary: Diary) -> None:
    def lose_it(period: str) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return period

    jobs.register(Job("daily", DAILY, lose_it))
    enqueue_due(at("03-03"))

    with pytest.raises(OperationalError):
        run_due_jobs()

    run = JobRun.objects.get(status="DUE")
    assert (run.failures, run.deaths, run.holder, run.attempts) == (0, 0, None, 1)


def test_old_runs_are_forgotten_but_each_jobs_newest(diary: Diary) -> None:
    other = Diary()
    jobs.register(Job("other", DAILY, other.run))
    enqueue_due(at("03-02"))
    enqueue_due(at("03-05"))
    work_off()
    assert JobRun.objects.count() == 8

    assert purge_job_runs() == 0
    assert purge_job_runs(now=timezone.now() + timedelta(days=91)) == 6

    assert set(JobRun.objects.values_list("job", "business_period")) == {
        ("daily", "2025-03-04"),
        ("other", "2025-03-04"),
    }
    enqueue_due(at("03-06"))
    assert work_off() == 2
