"""Tasks only drain tables; each may run any number of times, anywhere."""

import gc
import logging
import os
import threading
import time

from celery import shared_task
from celery.signals import (
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.db import close_old_connections
from django.utils import timezone

from payments import doorbell, queues, work, workers
from payments.doorbell import Kind
from payments.models import GatewayEvent, JobRun, Payment, Refund, Transfer, WebhookDelivery
from payments.queues import Queue
from payments.services import couriers, heartbeats
from payments.services.gateway_events import process_gateway_events
from payments.services.giving_up import (
    give_up_gateway_event,
    give_up_payment,
    give_up_refund,
    give_up_transfer,
)
from payments.services.jobs import enqueue_due, give_up_job, run_due_jobs
from payments.services.processing import process_payments, process_refunds
from payments.services.sweeping import sweep
from payments.services.transfers import process_transfers
from payments.services.webhook_deliveries import deliver_webhooks, give_up_delivery

logger = logging.getLogger(__name__)

SWEEPER = "sweeper"
SWEEP_SECONDS = 2
# Well below the time limit of a task, so that a long batch begun just before still ends in time.
DRAIN_SECONDS_MAX = 30
# A job may take far longer than a payment.
JOB_SECONDS_MAX = 3_600

PAYMENTS = queues.register(Queue(Payment, Kind.PAYMENTS, process_payments, give_up_payment))
REFUNDS = queues.register(Queue(Refund, Kind.REFUNDS, process_refunds, give_up_refund))
TRANSFERS = queues.register(Queue(Transfer, Kind.TRANSFERS, process_transfers, give_up_transfer))
GATEWAY_EVENTS = queues.register(
    Queue(GatewayEvent, Kind.GATEWAY_EVENTS, process_gateway_events, give_up_gateway_event)
)
WEBHOOKS = queues.register(
    Queue(WebhookDelivery, Kind.WEBHOOKS, deliver_webhooks, give_up_delivery)
)
JOBS = queues.register(Queue(JobRun, Kind.JOBS, run_due_jobs, give_up_job, is_long=True))


@shared_task(name=PAYMENTS.task)
def process_due_payments() -> None:
    """Process due payments until none is left."""
    drain(PAYMENTS)


@shared_task(name=REFUNDS.task)
def process_due_refunds() -> None:
    """Process due refunds until none is left."""
    drain(REFUNDS)


@shared_task(name=TRANSFERS.task)
def process_due_transfers() -> None:
    """Process due transfers until none is left."""
    drain(TRANSFERS)


@shared_task(name=GATEWAY_EVENTS.task)
def process_due_gateway_events() -> None:
    """Act on what gateways told us until nothing is left."""
    drain(GATEWAY_EVENTS)


@shared_task(name=WEBHOOKS.task)
def deliver_due_webhooks() -> None:
    """Have due webhooks delivered, without waiting for whoever they go to."""
    doorbell.heard(WEBHOOKS.task)
    couriers.wake()


@shared_task(name=JOBS.task, soft_time_limit=JOB_SECONDS_MAX, time_limit=JOB_SECONDS_MAX + 60)
def run_jobs() -> None:
    """Run the jobs that are due until none is left."""
    drain(JOBS)


@shared_task(name="payments.tasks.enqueue_jobs")
def enqueue_jobs() -> None:
    """Write down which jobs are due by now."""
    enqueue_due(timezone.now())
    doorbell.ring(JOBS.task)


@shared_task(name="payments.tasks.sweep")
def sweep_tables() -> None:
    """Do what each worker's sweeper does, in case that has died."""
    sweep()


def drain(queue: Queue, *, seconds: int = DRAIN_SECONDS_MAX) -> None:
    """Hear the bell, then work off batches; a longer backlog rings again, so that others join in.

    A worker that was asked to stop ends the batch it has in hand and takes no other.
    """
    doorbell.heard(queue.task)
    stop_at = time.monotonic() + seconds
    has_called_others = False
    while time.monotonic() < stop_at and not workers.is_stopping():
        rows = queue.work_off()
        if not rows:
            return
        if rows == work.BATCH_SIZE_MAX and not has_called_others:
            doorbell.ring(queue.task)
            has_called_others = True
    doorbell.ring(queue.task)


# --- The life of a worker's processes --------------------------------------------------------


@worker_process_init.connect
def begin_work(sender: object = None, **_: object) -> None:
    """Each process that takes work has a heart; the solo pool's is the main process itself."""
    gc.collect()
    gc.freeze()  # a fifth of the time of a batch went into collecting what is never garbage
    heartbeats.start(f"{sender} {workers.MAIN_PID}")


@worker_process_shutdown.connect
def end_work(**_: object) -> None:
    couriers.stop()
    heartbeats.stop()


@worker_ready.connect
def start_sweeping(sender: object = None, **_: object) -> None:
    """The main process has a heart too, which knows whether it may call others dead.

    A worker is ready again whenever it has found its broker again.
    """
    heartbeats.start(f"{getattr(sender, 'hostname', '')} {os.getpid()}")
    if not any(thread.name == SWEEPER for thread in threading.enumerate()):
        threading.Thread(target=_sweep_now_and_then, name=SWEEPER, daemon=True).start()


@worker_shutting_down.connect
def stop_taking_work(**_: object) -> None:
    workers.ask_to_stop()


@worker_shutdown.connect
def end_worker(**_: object) -> None:
    couriers.stop()
    heartbeats.stop()


def _sweep_now_and_then() -> None:
    while not workers.is_stopping():
        try:
            close_old_connections()
            sweep()
        except Exception as problem:  # the database is away: so is the work
            logger.warning("sweep.failed: %s", problem)
        time.sleep(SWEEP_SECONDS)
