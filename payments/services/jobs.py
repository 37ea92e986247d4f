"""Work that the calendar asks for: each job once per business period, in order.

Schedulers, however many, only ask "what is due and not written down yet?". Of a job's open periods
the oldest is due; the next one follows when that is done or given up.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from ledger.actors import Actor
from ledger.services import audit
from ledger.states import move
from payments import workers
from payments.errors import JobIsParked, JobNotItsTurn, JobNotOpen
from payments.models import JobRun, ParkedWork
from payments.schedules import Schedule
from payments.services.engine import Trade, is_database_lost, work_off_batch

logger = logging.getLogger(__name__)

PERIODS_PER_TICK = 31
# The other processes of the workers stay free for payments.
JOBS_AT_ONCE = 1
KEPT_FOR = timedelta(days=90)
RESULT_LENGTH_MAX = 500
BEFORE_OUR_TIME = "Before this job was on the timetable."

Status = JobRun.Status


@dataclass(frozen=True)
class Job:
    """What the calendar asks for. `run` may be repeated for its period; it says what it did."""

    name: str
    schedule: Schedule
    run: Callable[[str], str]


class JobFailed(Exception):
    """The job could not do its work, and neither is the database away nor the worker stopping."""


_jobs: dict[str, Job] = {}


def register(job: Job) -> Job:
    _jobs[job.name] = job
    return job


def every() -> list[Job]:
    return list(_jobs.values())


def enqueue_due(now: datetime) -> None:
    """Every period that is due by now is written down, whoever else does the same.

    A job that is new begins with the next period: nothing is run for a time before it was there.
    After a pause, the periods that were missed are caught up, PERIODS_PER_TICK at a time.
    """
    known = dict(JobRun.objects.values_list("job").annotate(newest=Max("business_period")))
    runs: list[JobRun] = []
    for job in every():
        if job.name not in known:
            runs.append(_first_run(job, now))
        else:
            due = job.schedule.due_after(known[job.name], now, limit=PERIODS_PER_TICK)
            runs += [JobRun(job=job.name, business_period=period) for period in due]
    JobRun.objects.bulk_create(runs, ignore_conflicts=True)
    let_next_go()


def _first_run(job: Job, now: datetime) -> JobRun:
    return JobRun(
        job=job.name,
        business_period=job.schedule.newest(now),
        status=Status.SKIPPED,
        result=BEFORE_OUR_TIME,
        finished_at=timezone.now(),
    )


def newest_done(job: str) -> str | None:
    """The last period for which the job did its work; None if it never did."""
    done = JobRun.objects.filter(job=job, status=Status.DONE)
    newest: str | None = done.aggregate(newest=Max("business_period"))["newest"]
    return newest


def let_next_go() -> int:
    """The oldest open period of each job is due, unless it is parked; returns how many are now."""
    open_runs = JobRun.objects.filter(status=Status.DUE)
    oldest = open_runs.order_by("job", "business_period").distinct("job").values_list("pk")
    return (
        open_runs.filter(pk__in=[pk for (pk,) in oldest], due_at=None, holder=None)
        .exclude(pk__in=_parked().values("row_id"))
        .update(due_at=timezone.now())
    )


def _parked() -> QuerySet[ParkedWork]:
    return ParkedWork.objects.filter(queue=JobRun._meta.db_table, resolved_at=None)


def run_due_jobs() -> int:
    """Run one job that is due, unless enough of them are running; returns how many were taken.

    Workers that look at the same moment may each begin with one.
    """
    in_hand = JobRun.objects.filter(holder__isnull=False, leased_until__gt=timezone.now())
    return 0 if in_hand.count() >= JOBS_AT_ONCE else work_off_batch(_TRADE, limit=1)


def run_now(run: JobRun, *, actor: Actor, reason: str) -> None:
    """An open run does not wait for its next attempt.

    Raises JobNotOpen, JobIsParked, or JobNotItsTurn while an earlier period is open.
    """
    with transaction.atomic():
        held = _lock_open(run)
        before = {"job": held.job, "business_period__lt": held.business_period}
        for earlier in JobRun.objects.filter(status=Status.DUE, **before)[:1]:
            raise JobNotItsTurn(held, earlier)
        if held.holder is None:
            held.due_at = timezone.now()
            held.save(update_fields=["due_at"])
        audit.record("job.run_now", _subject(held), actor=actor, reason=reason)


def skip_job(run: JobRun, *, actor: Actor, reason: str) -> None:
    """An open run is given up, and the next period follows. Raises JobNotOpen or JobIsParked.

    If it is being run now, what it does stays done, and is not written down as DONE.
    """
    with transaction.atomic():
        held = _lock_open(run)
        audit.record("job.skipped", _subject(held), actor=actor, reason=audit.required(reason))
        _skip(held, f"Skipped by {actor}.")
    let_next_go()


def give_up_job(run: JobRun, actor: Actor) -> None:
    """SKIPPED, although it was parked; the next period follows. Raises JobNotOpen."""
    with transaction.atomic():
        _skip(_lock(run), f"Given up by {actor}.")
    let_next_go()


def state_of(run: JobRun, *, now: datetime) -> str:
    """DONE or SKIPPED; or, of an open run, PARKED, RUNNING, WAITING (its turn), RETRYING or DUE."""
    if run.status != Status.DUE:
        return run.status
    if _parked().filter(row_id=run.pk).exists():
        return "PARKED"
    if run.holder is not None and run.leased_until is not None and run.leased_until > now:
        return "RUNNING"
    if run.due_at is None:
        return "WAITING"
    return "RETRYING" if run.due_at > now else "DUE"


def purge_job_runs(*, now: datetime | None = None) -> int:
    """Forget runs that ended more than KEPT_FOR ago, but each job's newest; how many."""
    newest = JobRun.objects.order_by("job", "-business_period").distinct("job").values_list("pk")
    old = JobRun.objects.filter(finished_at__lt=(now or timezone.now()) - KEPT_FOR)
    return old.exclude(pk__in=[pk for (pk,) in newest]).delete()[0]


def _lock(run: JobRun) -> JobRun:
    held = JobRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if held.status != Status.DUE:
        raise JobNotOpen(held)
    return held


def _lock_open(run: JobRun) -> JobRun:
    held = _lock(run)
    if _parked().filter(row_id=held.pk).exists():
        raise JobIsParked(held)
    return held


def _skip(held: JobRun, result: str) -> None:
    move(held, Status.SKIPPED)
    held.fence += 1
    held.due_at = held.holder = None
    held.result = result[:RESULT_LENGTH_MAX]
    held.finished_at = timezone.now()
    held.save()


def _subject(run: JobRun) -> str:
    return f"job:{run.job}:{run.business_period}"


def _find(runs: list[JobRun]) -> dict[int, str]:
    return {run.pk: _run(run) for run in runs}


def _run(run: JobRun) -> str:
    JobRun.objects.filter(pk=run.pk, fence=run.fence).update(started_at=timezone.now())
    if run.job not in _jobs:
        raise JobFailed(f"There is no job {run.job!r} on the timetable.")
    logger.info("job.started: %s", run)
    try:
        return _jobs[run.job].run(run.business_period)
    except SoftTimeLimitExceeded as problem:
        if workers.is_stopping():
            raise
        raise JobFailed("It took too long.") from problem
    except OperationalError as problem:
        if is_database_lost(problem):
            raise
        raise JobFailed(str(problem)) from problem


def _write(runs: list[JobRun], results: dict[int, str]) -> None:
    for run in runs:
        move(run, Status.DONE)
        run.result = results[run.pk][:RESULT_LENGTH_MAX]
        run.due_at = run.holder = None
        run.finished_at = timezone.now()
        run.save(update_fields=["status", "result", "due_at", "holder", "finished_at"])
        logger.info("job.done: %s: %s", run, run.result)
    let_next_go()


_TRADE: Trade[JobRun, dict[int, str]] = Trade(JobRun, find=_find, write=_write)
