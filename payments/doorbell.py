"""Tells workers there may be work. Rows are the queue: losing every ring only delays work.

At most one message per kind of work is in flight, however many rows wait: a ring is only published
if no earlier one is still unheard. Publishing runs on a thread of its own, never raises, and costs
the caller nothing.
"""

import logging
import threading
from queue import Queue

import redis
from celery import current_app
from django.conf import settings
from django.db import models

from payments import cache

logger = logging.getLogger(__name__)

UNHEARD_SECONDS = 30


class Kind(models.TextChoices):
    """This app's kinds of work; the value is the name of the task that does it."""

    PAYMENTS = "payments.tasks.process_payments"
    REFUNDS = "payments.tasks.process_refunds"
    TRANSFERS = "payments.tasks.process_transfers"
    GATEWAY_EVENTS = "payments.tasks.process_gateway_events"


def ring(kind: str) -> None:
    """Announce work of this kind. Call it after commit."""
    _Bell.instance().queue.put(kind)


def heard(kind: str) -> None:
    """Called by the worker before it looks for work, so that later rings are published again."""
    try:
        cache.client(settings.REDIS_URL).delete(_key(kind))
    except redis.RedisError as error:
        logger.warning("doorbell.unreachable: %s", error)


class _Bell(threading.Thread):
    """The publishing thread of this process."""

    _instance: "_Bell | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(name="doorbell", daemon=True)
        self.queue: Queue[str] = Queue()

    @classmethod
    def instance(cls) -> "_Bell":
        with cls._lock:
            # A forked child inherits the object but not the thread.
            if cls._instance is None or not cls._instance.is_alive():
                cls._instance = cls()
                cls._instance.start()
            return cls._instance

    def run(self) -> None:
        while True:
            waiting = {self.queue.get()}
            while not self.queue.empty():
                waiting.add(self.queue.get())
            for kind in waiting:
                publish(kind)


def publish(kind: str) -> None:
    """Send the message unless one is already waiting. Never raises."""
    try:
        if cache.client(settings.REDIS_URL).set(_key(kind), "1", nx=True, ex=UNHEARD_SECONDS):
            _send(kind)
    except Exception as error:  # whatever the broker does, work only waits for the sweeper
        logger.warning("doorbell.failed: %s", error)


def _send(kind: str) -> None:
    try:
        current_app.send_task(str(kind), retry=False, ignore_result=True)
    except Exception:
        cache.client(settings.REDIS_URL).delete(_key(kind))  # nobody will hear this one
        raise


def _key(kind: str) -> str:
    return f"tieout:doorbell:{kind}"
