"""Who takes work says that it lives; what the dead held is taken by others."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from payments import tasks, work
from payments.models import Heartbeat, JobRun, Payment
from payments.services import heartbeats
from payments.services.heartbeats import (
    Heart,
    alive_heartbeats,
    can_judge,
    nodes_alive,
    purge_heartbeats,
)
from payments.services.sweeping import sweep
from tests.factories import PaymentFactory
from tests.support.books import query
from tests.support.celery_processes import start_ready_worker
from tests.support.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hearts beat, and are missed, twenty times as fast."""
    monkeypatch.setattr(work, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(work, "DEAD_AFTER_SECONDS", 0.5)


@pytest.fixture
def heart(fast: None) -> Iterator[Heart]:
    """This process takes work, as the solo pool's does."""
    heartbeats.start("here")
    assert heartbeats._heart
    yield heartbeats._heart
    heartbeats.stop()


def seen(node: str, *, seconds_ago: int) -> int:
    beat = Heartbeat.objects.create(node=node, pid=1)
    Heartbeat.objects.filter(pk=beat.pk).update(seen_at=Now() - timedelta(seconds=seconds_ago))
    return beat.pk


def held_by(holder: int, **fields: object) -> Payment:
    payment = PaymentFactory()
    lease = timezone.now() + timedelta(seconds=work.LEASE_SECONDS)
    Payment.objects.filter(pk=payment.pk).update(holder=holder, leased_until=lease, **fields)
    return payment


# --- Who is alive ----------------------------------------------------------------------------


def test_processes_are_alive_for_ten_seconds_and_nodes_for_a_minute() -> None:
    first = seen("one", seconds_ago=0)
    second = seen("one", seconds_ago=8)
    seen("two", seconds_ago=30)
    seen("three", seconds_ago=70)

    assert sorted(alive_heartbeats()) == [first, second]
    assert nodes_alive() == ["one", "two"]


def test_processes_that_ended_long_ago_are_forgotten() -> None:
    recent = seen("one", seconds_ago=23 * 3_600)
    seen("two", seconds_ago=25 * 3_600)

    assert purge_heartbeats() == 1

    assert Heartbeat.objects.get().pk == recent


# --- One heart -------------------------------------------------------------------------------


def test_process_with_a_heart_claims_under_it(heart: Heart) -> None:
    payment = PaymentFactory()

    work.claim(Payment)

    payment.refresh_from_db()
    beat = Heartbeat.objects.get()
    assert (payment.holder, work.holder()) == (beat.pk, beat.pk)
    assert (beat.node, beat.pid) == ("here", os.getpid())


def test_heart_goes_on_beating(heart: Heart) -> None:
    first = Heartbeat.objects.get().seen_at

    wait_for(lambda: Heartbeat.objects.get().seen_at > first)

    assert Heartbeat.objects.get().started_at <= first


def test_heart_stops_at_once_and_takes_its_row_along(heart: Heart) -> None:
    heartbeats.stop()

    assert not heart.is_alive()
    assert not Heartbeat.objects.exists()
    assert work.holder() == work.NO_HEARTBEAT


def test_heart_whose_row_vanished_writes_it_again_under_the_same_id(heart: Heart) -> None:
    before = Heartbeat.objects.get()

    Heartbeat.objects.all().delete()

    wait_for(Heartbeat.objects.exists)
    after = Heartbeat.objects.get()
    assert (after.pk, after.node, after.pid) == (before.pk, before.node, before.pid)
    assert work.holder() == before.pk


def test_heart_that_loses_its_connections_beats_on(heart: Heart) -> None:
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(3):
        assert query(f"SELECT pg_terminate_backend(pid) {others}")
        before = Heartbeat.objects.get().seen_at
        wait_for(lambda before=before: Heartbeat.objects.get().seen_at > before)

    assert heart.is_alive()


def test_process_without_a_database_has_no_heartbeat_until_there_is_one(
    fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", "/nowhere")
        away.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
        heartbeats.start("here")
        assert work.holder() == work.NO_HEARTBEAT
    try:
        wait_for(lambda: work.holder() != work.NO_HEARTBEAT)
        assert Heartbeat.objects.get().pk == work.holder()
    finally:
        heartbeats.stop()


def test_heart_renews_the_lease_of_long_work_only(
    heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "LEASE_SECONDS", 3)
    payment = held_by(work.holder())
    assert tasks.JOBS.is_long
    job = JobRun.objects.create(job="long", business_period="2026-01-01", due_at=timezone.now())
    work.claim(JobRun)
    job.refresh_from_db()
    first = job.leased_until
    assert first

    wait_for(lambda: JobRun.objects.get().leased_until > first)

    job.refresh_from_db()
    assert (job.holder, job.fence, job.deaths) == (work.holder(), 1, 0)
    before = payment.leased_until
    payment.refresh_from_db()
    assert before is None
    assert payment.leased_until
    assert payment.leased_until <= first


# --- Sweeping --------------------------------------------------------------------------------


def test_sweeper_frees_what_the_dead_hold_and_nothing_else(
    clean_redis: None, heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(can_judge)
    dead = held_by(seen("gone", seconds_ago=30))
    vanished = held_by(10**9)
    living = held_by(work.holder())
    nobody = held_by(work.NO_HEARTBEAT)
    done = held_by(10**9, due_at=None)

    assert sweep() == 2

    now = timezone.now()
    free = Payment.objects.filter(work.free(now), due_at__isnull=False)
    assert set(free) == {dead, vanished}
    assert Payment.objects.get(pk=done.pk).leased_until > now
    assert {row.deaths for row in work.claim(Payment)} == {1}
    assert set(Payment.objects.filter(deaths=1)) == {dead, vanished}
    assert set(Payment.objects.filter(leased_until__gt=now, deaths=0)) == {living, nobody, done}


def test_nobody_is_called_dead_by_a_process_that_was_away_itself(
    clean_redis: None, heart: Heart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database is back, everybody's last beat is old."""
    wait_for(can_judge)
    held_by(seen("as late as we are", seconds_ago=30))
    heart.beats_since_ms = heartbeats._now_ms()

    assert sweep() == 0

    wait_for(can_judge)
    assert sweep() == 1


def test_pause_in_beating_ends_the_right_to_judge(heart: Heart) -> None:
    wait_for(can_judge)
    blocked = threading.Event()
    beat = heart._renew

    def wait_longer_than_others_would() -> None:
        heart._renew = beat  # type: ignore[method-assign]
        time.sleep(3 * work.DEAD_AFTER_SECONDS)
        beat()
        blocked.set()

    heart._renew = wait_longer_than_others_would  # type: ignore[method-assign]

    wait_for(lambda: not can_judge())
    assert not blocked.is_set()
    wait_for(blocked.is_set)
    assert not can_judge()
    wait_for(can_judge)


def test_process_without_a_heart_judges_nobody(clean_redis: None) -> None:
    held_by(seen("gone", seconds_ago=30))

    assert not can_judge()
    assert sweep() == 0


# --- Real workers ----------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_real_worker_is_seen_while_it_lives_and_gone_at_once_when_it_stops(
    clean_redis: None, tmp_path: Path, pool: str
) -> None:
    worker = start_ready_worker(tmp_path, "-c", "2", "--pool", pool)
    processes = 3 if pool == "prefork" else 1
    try:
        wait_for(lambda: len(alive_heartbeats()) == processes)
        pids = set(Heartbeat.objects.values_list("pid", flat=True))
        assert worker.process.pid in pids
        assert len(pids) == processes
        assert len(nodes_alive()) == 1

        worker.process.send_signal(signal.SIGTERM)
        worker.process.wait(25)
    finally:
        worker.kill_group()

    assert not Heartbeat.objects.exists()


def test_each_process_of_a_worker_has_a_connection_of_its_own_that_survives_its_neighbours_death(
    clean_redis: None, tmp_path: Path
) -> None:
    """A connection shared by fork would be closed by whoever ends first."""
    worker = start_ready_worker(tmp_path, "-c", "2")
    try:
        wait_for(lambda: len(alive_heartbeats()) == 3)
        main = Heartbeat.objects.get(pid=worker.process.pid)
        children = list(Heartbeat.objects.exclude(pk=main.pk).order_by("pk"))
        os.kill(children[0].pid, signal.SIGKILL)

        # Its successor is forked from a process whose heart and sweeper have connections.
        wait_for(lambda: Heartbeat.objects.count() == 4)
        successor = Heartbeat.objects.latest("pk")
        for survivor in (main, children[1], successor):
            before = Heartbeat.objects.get(pk=survivor.pk).seen_at
            wait_for(
                lambda pk=survivor.pk, before=before: Heartbeat.objects.get(pk=pk).seen_at > before
            )
        assert len({main.node, children[1].node, successor.node}) == 1
        PaymentFactory()
        wait_for(lambda: Payment.objects.get().status == "SUCCEEDED")
    finally:
        worker.kill_group()
    errors = (tmp_path / "stderr").read_text()
    assert "heartbeat.failed" not in errors
    assert "sweep.failed" not in errors
