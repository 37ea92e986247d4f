"""Tasks only drain tables; each may run any number of times, anywhere."""

import threading
from collections.abc import Callable

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from payments import doorbell
from payments.services.gateway_events import process_gateway_events
from payments.services.idempotency import purge_idempotency_keys
from payments.services.processing import process_payments, process_refunds
from payments.services.transfers import process_transfers

SWEEP_SECONDS = 2
BATCHES_PER_TASK_MAX = 50

_stopping = threading.Event()


@shared_task(name=doorbell.Kind.PAYMENTS.value)
def process_due_payments() -> None:
    """Process due payments until none is left."""
    drain(doorbell.Kind.PAYMENTS, process_payments)


@shared_task(name=doorbell.Kind.REFUNDS.value)
def process_due_refunds() -> None:
    """Process due refunds until none is left."""
    drain(doorbell.Kind.REFUNDS, process_refunds)


@shared_task(name=doorbell.Kind.TRANSFERS.value)
def process_due_transfers() -> None:
    """Process due transfers until none is left."""
    drain(doorbell.Kind.TRANSFERS, process_transfers)


@shared_task(name=doorbell.Kind.GATEWAY_EVENTS.value)
def process_due_gateway_events() -> None:
    """Act on what gateways told us until nothing is left."""
    drain(doorbell.Kind.GATEWAY_EVENTS, process_gateway_events)


@shared_task(name="payments.tasks.purge_idempotency_keys")
def purge_old_idempotency_keys() -> None:
    """Forget answers nobody may count on any more."""
    purge_idempotency_keys()


def drain(kind: doorbell.Kind, process_batch: Callable[[], int]) -> None:
    """Hear the bell, then work off batches; a backlog beyond the limit rings again."""
    doorbell.heard(kind)
    for _ in range(BATCHES_PER_TASK_MAX):
        if not process_batch():
            return
    doorbell.ring(kind)


@worker_ready.connect
def start_sweeping(**_: object) -> None:
    """Ring every bell now and then, for rows no ring announced: lost messages, retries, leases."""

    def sweep() -> None:
        while not _stopping.wait(SWEEP_SECONDS):
            for kind in doorbell.Kind:
                doorbell.publish(kind)

    threading.Thread(target=sweep, name="sweeper", daemon=True).start()


@worker_shutting_down.connect
def stop_sweeping(**_: object) -> None:
    _stopping.set()
