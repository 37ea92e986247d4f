"""The timetable: ticks that people may edit, jobs on their business days, and who can see them."""

import json
import logging
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config import timetable
from config.beat import EditableScheduler
from config.celery import TICKS, app
from ledger.models import AuditEvent
from ledger.services.posting import post_entry
from payments.models import JobRun, ParkedWork
from payments.services import jobs
from payments.services.jobs import enqueue_due, run_due_jobs
from settlements.models import SettlementBatch
from settlements.services.schedules import ScheduleTerms, set_schedule
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.celery_processes import start_celery, start_ready_worker
from tests.support.chores import Clock
from tests.support.entries import deposit, wallet
from tests.support.servers import wait_for

pytestmark = pytest.mark.django_db

JOBS = {job.name: job for job in timetable.JOBS}
BEATS = ("first beat", "second beat")
TICK = "Sending due task enqueue due jobs"


@pytest.fixture(autouse=True)
def only_our_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", dict(JOBS))


def schedule_of(name: str) -> timedelta:
    interval = PeriodicTask.objects.select_related("interval").get(name=name).interval
    return timedelta(**{interval.period: interval.every})


def said_by(folder: Path) -> str:
    return (folder / "stderr").read_text()


def known_since(periods: int) -> dict[str, list[str]]:
    """Each job was done last so many of its periods ago; returns those that are due since."""
    now, due = timezone.now(), {}
    for job in JOBS.values():
        then = job.schedule.newest(now)
        for _ in range(periods):
            then = job.schedule.newest(job.schedule.due_at(then) - timedelta(seconds=1))
        JobRun.objects.create(
            job=job.name, business_period=then, status="DONE", finished_at=timezone.now()
        )
        due[job.name] = job.schedule.due_after(then, now, limit=9)
    return due


# --- Ticks -----------------------------------------------------------------------------------


def test_every_tick_is_a_task_there_is() -> None:
    app.loader.import_default_modules()

    assert {task for task, _ in TICKS.values()} == {
        "ledger.tasks.seal_ledger",
        "ledger.tasks.expire_holds",
        "payments.tasks.sweep",
        "payments.tasks.enqueue_jobs",
        "reconciliation.tasks.pick_up_statements",
        "reconciliation.tasks.match_arrivals",
        "reconciliation.tasks.keep_proofs",
    }
    assert {task for task, _ in TICKS.values()} <= set(app.tasks)


@pytest.mark.django_db(transaction=True)
def test_first_start_of_beat_writes_the_ticks_as_rows() -> None:
    EditableScheduler(app=app)

    rows = PeriodicTask.objects.exclude(name__startswith="celery.")
    assert {row.name: (row.task, row.enabled, row.expire_seconds) for row in rows} == {
        "seal the ledger": ("ledger.tasks.seal_ledger", True, 5),
        "expire holds": ("ledger.tasks.expire_holds", True, 60),
        "sweep the queues": ("payments.tasks.sweep", True, 5),
        "enqueue due jobs": ("payments.tasks.enqueue_jobs", True, 30),
        "empty the inbox": ("reconciliation.tasks.pick_up_statements", True, 60),
        "match what came": ("reconciliation.tasks.match_arrivals", True, 5),
        "keep tie-outs": ("reconciliation.tasks.keep_proofs", True, 5),
    }
    assert {row.name: schedule_of(row.name) for row in rows} == {
        name: every for name, (_, every) in TICKS.items()
    }


@pytest.mark.django_db(transaction=True)
def test_what_people_changed_survives_the_next_start_of_beat() -> None:
    EditableScheduler(app=app)
    minute, _ = IntervalSchedule.objects.get_or_create(every=1, period="minutes")
    PeriodicTask.objects.filter(name="seal the ledger").update(interval=minute, expire_seconds=60)
    PeriodicTask.objects.filter(name="sweep the queues").update(enabled=False)
    PeriodicTask.objects.filter(name="expire holds").delete()
    PeriodicTask.objects.create(name="theirs", task="celery.ping", interval=minute)

    scheduler = EditableScheduler(app=app)

    assert schedule_of("seal the ledger") == timedelta(minutes=1)
    assert schedule_of("expire holds") == timedelta(minutes=1)  # written anew
    assert not PeriodicTask.objects.get(name="sweep the queues").enabled
    assert set(scheduler.schedule) >= {"seal the ledger", "expire holds", "theirs"}
    assert "sweep the queues" not in scheduler.schedule
    assert scheduler.schedule["seal the ledger"].schedule.run_every == timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_ticks_of_earlier_versions_vanish() -> None:
    minute, _ = IntervalSchedule.objects.get_or_create(every=1, period="minutes")
    for task in ("ledger.tasks.verify_ledger", "payments.tasks.purge_idempotency_keys"):
        PeriodicTask.objects.create(name=f"old {task}", task=task, interval=minute)

    EditableScheduler(app=app)

    assert not PeriodicTask.objects.filter(name__startswith="old").exists()


# --- Jobs ------------------------------------------------------------------------------------


def test_each_merchant_is_settled_at_its_own_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Monday 2 March: Kolkata's day ends at 18:30 UTC, the shop's at 22:00."""
    kolkata = MerchantFactory(code="kolkata", time_zone="Asia/Kolkata")
    shop = MerchantFactory(code="shop", time_zone="America/New_York")
    terms = ScheduleTerms(cut_off=time(17))
    set_schedule(shop, terms, valid_from=date(2026, 1, 1), actor=timetable.ACTOR)
    Clock(monkeypatch, datetime(2026, 3, 2, 12, tzinfo=UTC))
    for merchant in (kolkata, shop):
        SucceededPaymentFactory(merchant=merchant, money=eur("10.00"))
    settled = []

    for moment in ("18:15", "18:30", "18:45", "21:45", "22:00", "22:15"):
        period = f"2026-03-02T{moment}+00:00"
        settled.append((moment, timetable.settle(period)))
        JobRun.objects.create(
            job="settle", business_period=period, status="DONE", finished_at=timezone.now()
        )

    assert [moment for moment, result in settled if result == "1 batches closed"] == [
        "18:30",
        "22:00",
    ]
    batches = SettlementBatch.objects.order_by("pk").values_list("merchant__code", "period")
    assert list(batches) == [("kolkata", date(2026, 3, 2)), ("shop", date(2026, 3, 2))]


def test_a_skipped_settlement_is_made_up_for_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, datetime(2026, 3, 2, 12, tzinfo=UTC))
    SucceededPaymentFactory(money=eur("10.00"))
    for moment, status in (("2026-03-02T23:45", "DONE"), ("2026-03-03T00:00", "SKIPPED")):
        JobRun.objects.create(
            job="settle",
            business_period=f"{moment}+00:00",
            status=status,
            finished_at=timezone.now(),
        )

    assert timetable.settle("2026-03-03T00:15+00:00") == "1 batches closed"
    assert SettlementBatch.objects.get().period == date(2026, 3, 2)


def test_each_job_says_what_it_did() -> None:
    due = known_since(periods=1)

    enqueue_due(timezone.now())
    while run_due_jobs():
        pass

    done = {run.job: run for run in JobRun.objects.filter(attempts=1)}
    assert {name: run.business_period for name, run in done.items()} == {
        name: periods[-1] for name, periods in due.items()
    }
    assert {name: run.result for name, run in done.items()} == {
        "settle": "0 batches closed",
        "purge": "0 idempotency keys, 0 job runs, 0 heartbeats, 0 events",
        "reconcile": "no statement is loaded",
        "verify": "the books hold",
    }


def test_verification_says_aloud_what_does_not_hold(caplog: pytest.LogCaptureFixture) -> None:
    post_entry(deposit("d1", wallet("a"), 10))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE ledger_accountbalance SET credits = credits + 1 WHERE credits = 10")

    assert timetable.verify("2025-03-29") == "1 problems"

    (said,) = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert said.getMessage().startswith("ledger.broken balance a: ")


@pytest.mark.django_db(transaction=True)
def test_two_beats_and_a_worker_run_each_period_once(clean_redis: None, tmp_path: Path) -> None:
    """Real processes. Somebody made beat ask every second, and both beats respect that."""
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    PeriodicTask.objects.create(
        name="enqueue due jobs", task="payments.tasks.enqueue_jobs", interval=second
    )
    due = known_since(periods=2)
    beats = [start_celery(tmp_path / name, "beat", "-l", "INFO", "--pidfile=") for name in BEATS]
    worker = start_ready_worker(tmp_path / "w", "-c", "2")
    try:
        runs = JobRun.objects.filter(attempts__gt=0)
        wait_for(lambda: runs.filter(status="DONE").count() >= sum(map(len, due.values())))
        ticks = [said_by(tmp_path / name).count(TICK) for name in BEATS]
        wait_for(
            lambda: all(
                said_by(tmp_path / name).count(TICK) > before + 2
                for name, before in zip(BEATS, ticks, strict=True)
            )
        )
    finally:
        for process in (*beats, worker):
            process.kill_group()

    assert {(run.status, run.attempts, run.failures) for run in runs} == {("DONE", 1, 0)}
    for job, periods in due.items():
        ran = runs.filter(job=job).order_by("finished_at").values_list("business_period", flat=True)
        assert list(ran)[: len(periods)] == periods
    assert schedule_of("enqueue due jobs") == timedelta(seconds=1)
    assert PeriodicTask.objects.filter(name="seal the ledger").exists()


# --- Who sees it -----------------------------------------------------------------------------


def listed(*options: str) -> dict[str, list[dict[str, object]]]:
    out = StringIO()
    call_command("jobs", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_command_lists_what_is_due_done_and_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    due = known_since(periods=2)
    broken = jobs.Job("settle", JOBS["settle"].schedule, lambda period: str(1 / 0))
    monkeypatch.setitem(jobs._jobs, "settle", broken)
    enqueue_due(timezone.now())
    while run_due_jobs():
        pass

    everything = listed("--limit", "100")
    waiting = listed("--job", "settle", "--open")

    assert [job["job"] for job in everything["jobs"]] == list(JOBS)
    newest = {job: periods[-1] for job, periods in due.items()}
    assert {job["job"]: job["next_period"] for job in everything["jobs"]} == {
        job: JOBS[job].schedule.next_after(period) for job, period in newest.items()
    }
    assert {run["job"] for run in everything["runs"] if run["state"] == "DONE"} == set(JOBS)
    assert [(run["business_period"], run["state"]) for run in waiting["runs"]] == [
        (due["settle"][1], "WAITING"),
        (due["settle"][0], "RETRYING"),
    ]
    assert waiting["runs"][1]["problem"] == "ZeroDivisionError: division by zero"
    out = StringIO()
    call_command("jobs", "--job", "settle", stdout=out)
    assert f"settle     {due['settle'][0]} RETRYING ZeroDivisionError" in out.getvalue()


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", password="root"))
    return client


def press(client: Client, action: str, run: JobRun, reason: str) -> str:
    url = reverse(f"admin:payments_jobrun_{action}", args=[run.pk])
    return client.post(url, {"reason": reason}, follow=True).content.decode()


def test_operators_hurry_and_skip_what_is_open_with_a_reason(operator: Client) -> None:
    due = known_since(periods=2)["verify"]
    enqueue_due(timezone.now())
    first = JobRun.objects.get(job="verify", business_period=due[0])
    JobRun.objects.filter(pk=first.pk).update(due_at=timezone.now() + timedelta(hours=1))

    press(operator, "run_now", first, "It is mended.")
    first.refresh_from_db()
    assert first.due_at
    assert first.due_at <= timezone.now()

    press(operator, "skip", first, "")
    assert JobRun.objects.get(pk=first.pk).status == "DUE"
    press(operator, "skip", first, "The disk was full.")
    first.refresh_from_db()
    assert (first.status, first.result) == ("SKIPPED", "Skipped by user:root@example.com.")
    assert "is over" in press(operator, "run_now", first, "After all.")
    events = AuditEvent.objects.filter(subject=f"job:verify:{due[0]}").order_by("pk")
    assert [(event.action, event.reason) for event in events] == [
        ("job.run_now", "It is mended."),
        ("job.skipped", "The disk was full."),
    ]
    assert not ParkedWork.objects.exists()
