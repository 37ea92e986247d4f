"""Tasks only drain tables; each may run any number of times, anywhere."""

import threading
import time

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from payments import doorbell, queues
from payments.doorbell import Kind
from payments.models import GatewayEvent, Payment, Refund, Transfer
from payments.queues import Queue
from payments.services.gateway_events import process_gateway_events
from payments.services.giving_up import (
    give_up_gateway_event,
    give_up_payment,
    give_up_refund,
    give_up_transfer,
)
from payments.services.idempotency import purge_idempotency_keys
from payments.services.processing import process_payments, process_refunds
from payments.services.transfers import process_transfers

SWEEP_SECONDS = 2
# Well below the time limit of a task, so that a long batch begun just before still ends in time.
DRAIN_SECONDS_MAX = 30

_stopping = threading.Event()

PAYMENTS = queues.register(Queue(Payment, Kind.PAYMENTS, process_payments, give_up_payment))
REFUNDS = queues.register(Queue(Refund, Kind.REFUNDS, process_refunds, give_up_refund))
TRANSFERS = queues.register(Queue(Transfer, Kind.TRANSFERS, process_transfers, give_up_transfer))
GATEWAY_EVENTS = queues.register(
    Queue(GatewayEvent, Kind.GATEWAY_EVENTS, process_gateway_events, give_up_gateway_event)
)


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


@shared_task(name="payments.tasks.purge_idempotency_keys")
def purge_old_idempotency_keys() -> None:
    """Forget answers nobody may count on any more."""
    purge_idempotency_keys()


def drain(queue: Queue, *, seconds: float = DRAIN_SECONDS_MAX) -> None:
    """Hear the bell, then work off batches; a longer backlog rings again, so that others may."""
    doorbell.heard(queue.task)
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        if not queue.work_off():
            return
    doorbell.ring(queue.task)


@worker_ready.connect
def start_sweeping(**_: object) -> None:
    """Ring every bell now and then, for rows no ring announced: lost messages, retries, leases."""

    def sweep() -> None:
        while not _stopping.wait(SWEEP_SECONDS):
            for queue in queues.every():
                doorbell.publish(queue.task)

    threading.Thread(target=sweep, name="sweeper", daemon=True).start()


@worker_shutting_down.connect
def stop_sweeping(**_: object) -> None:
    _stopping.set()
