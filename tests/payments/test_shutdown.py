"""SIGTERM: a worker ends what it has in hand, takes nothing more, and holds nothing afterwards."""

import signal
import time
from pathlib import Path

import pytest
from django.utils import timezone

from ledger.models import JournalEntry
from payments import queues, tasks, workers
from payments.models import Heartbeat, JobRun, Payment, SimulatedOperation
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.books import assert_books_balance
from tests.support.celery_processes import start_ready_worker
from tests.support.servers import Child, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

GRACE_SECONDS = 25


def stop(worker: Child) -> float:
    """Ask it to stop; how long it took. It ended by itself, and well."""
    began_at = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(GRACE_SECONDS) == 0
    return time.monotonic() - began_at


def held() -> int:
    """Rows of any table that somebody still has in hand."""
    return sum(
        queue.model._default_manager.filter(holder__isnull=False, due_at__isnull=False).count()
        for queue in queues.every()
    )


def test_worker_under_load_ends_its_batches_and_leaves_the_rest_to_others(
    clean_redis: None, tmp_path: Path
) -> None:
    merchant = MerchantFactory()
    template = PaymentFactory(merchant=merchant)
    Payment.objects.bulk_create(
        Payment(
            merchant=merchant,
            gateway=template.gateway,
            amount=template.amount,
            currency=template.currency,
            source=template.source,
            idempotency_key=f"copy-{number}",
            reference=f"copy-{number}",
            due_at=timezone.now(),
        )
        for number in range(5_000)
    )
    everything = Payment.objects.count()
    worker = start_ready_worker(tmp_path / "1", "-c", "2", SIMULATOR_LATENCY_SECONDS="0.1")
    try:
        wait_for(lambda: Payment.objects.filter(status="SUCCEEDED").exists())
        stop(worker)
    finally:
        worker.kill_group()

    done = Payment.objects.filter(status="SUCCEEDED").count()
    assert 0 < done < everything
    assert held() == 0
    assert Payment.objects.filter(due_at__isnull=False).count() == everything - done
    assert JournalEntry.objects.count() == done
    assert not Payment.objects.filter(deaths__gt=0).exists()
    assert not Heartbeat.objects.exists()

    another = start_ready_worker(tmp_path / "2", "-c", "2")
    try:
        wait_for(lambda: Payment.objects.filter(status="SUCCEEDED").count() == everything)
        stop(another)
    finally:
        another.kill_group()
    assert SimulatedOperation.objects.count() == JournalEntry.objects.count() == everything
    assert Payment.objects.filter(attempts=1, deaths=0, failures=0).count() == everything
    assert_books_balance()


def test_what_hangs_at_the_last_call_is_given_back_and_nobody_died(
    clean_redis: None, tmp_path: Path
) -> None:
    """A gateway that takes a minute; the grace period is shorter."""
    payment = PaymentFactory()
    worker = start_ready_worker(
        tmp_path,
        "-c",
        "2",
        first="from payments import workers; workers.LAST_CALL_SECONDS = 1",
        SIMULATOR_LATENCY_SECONDS="60",
    )
    try:
        wait_for(lambda: Payment.objects.get().holder is not None)
        stop(worker)
    finally:
        worker.kill_group()

    payment.refresh_from_db()
    assert (payment.status, payment.holder, payment.deaths) == ("PROCESSING", None, 0)
    assert payment.due_at is not None
    assert payment.due_at <= timezone.now()
    assert held() == 0


def test_job_that_is_interrupted_by_the_end_of_its_worker_has_not_failed(
    clean_redis: None, tmp_path: Path
) -> None:
    run = JobRun.objects.create(job="sleep", business_period="2026-01-01", due_at=timezone.now())
    first = (
        "import time; from payments import workers; workers.LAST_CALL_SECONDS = 1;"
        " from payments.services.jobs import Job, register;"
        " register(Job('sleep', None, lambda period: time.sleep(60)))"
    )
    worker = start_ready_worker(tmp_path, "-c", "1", first=first)
    try:
        wait_for(lambda: JobRun.objects.get().started_at is not None)
        stop(worker)
    finally:
        worker.kill_group()

    run.refresh_from_db()
    assert (run.status, run.holder, run.attempts) == ("DUE", None, 1)
    assert (run.failures, run.deaths) == (0, 0)
    assert run.due_at is not None


def test_drain_takes_no_batch_once_its_worker_is_stopping(
    clean_redis: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = PaymentFactory()
    monkeypatch.setattr(workers, "is_stopping", lambda: True)

    tasks.drain(tasks.PAYMENTS)

    payment.refresh_from_db()
    assert (payment.status, payment.attempts) == ("PENDING", 0)
