"""Tells workers there may be work. Rows are the queue: losing every ring only delays work.

At most one message per kind of work is in flight, however many rows wait: a ring is only published
if no earlier one is still unheard. Publishing runs on a thread of its own, never raises, and costs
the caller nothing. After a failure the broker is left alone for a while.

Redis says which bells are unheard and the broker carries the rings; either may be another server,
and away while the other one works.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from celery import current_app
from celery.signals import before_task_publish
from django.conf import settings
from django.db import models
from kombu.connection import Connection
from prometheus_client import Counter

from payments import cache

logger = logging.getLogger(__name__)
bells = Counter(
    "tieout_doorbells_total",
    "Rings by what became of them: rung, coalesced with one that is not heard yet, or failed.",
    ["outcome"],
)
for _outcome in ("rung", "coalesced", "failed"):
    bells.labels(_outcome)

UNHEARD_SECONDS = 15
# When Redis cannot say whether a bell is unheard, each process rings it no sooner than this.
ALONE_SECONDS = 1
# What is rung within this time is one ring: a busy process spends it on its requests.
PAUSE_MILLISECONDS = 20
# How long a process leaves a broker alone that has failed it.
BREAK_SECONDS = 10
SECOND = 10**9


class Kind(models.TextChoices):
    """This app's kinds of work; the value is the name of the task that does it."""

    PAYMENTS = "payments.tasks.process_payments"
    REFUNDS = "payments.tasks.process_refunds"
    TRANSFERS = "payments.tasks.process_transfers"
    GATEWAY_EVENTS = "payments.tasks.process_gateway_events"
    WEBHOOKS = "payments.tasks.deliver_webhooks"
    JOBS = "payments.tasks.run_jobs"


def ring(kind: str) -> None:
    """Announce work of this kind. Call it after commit."""
    _Bell.instance().queue.put(str(kind))


def heard(kind: str) -> None:
    """Called by the worker before it looks for work, so that later rings are published again."""
    with suppress(cache.Unreachable):
        cache.ask_briefly(lambda line: line.call("DEL", _key(kind)))


def publish(kind: str) -> bool:
    """Send the message unless one is already waiting. Never raises; False: not sent, try later.

    Takes a second or two at most.
    """
    now = time.monotonic_ns()
    if now < _state.silent_until:
        return False
    try:
        if not _is_first(kind):
            bells.labels("coalesced").inc()
            return True
    except cache.Unreachable:
        if now < _state.alone_until.get(kind, 0):
            return False
        _state.alone_until[kind] = now + ALONE_SECONDS * SECOND
    try:
        _send(kind)
    except Exception as problem:  # whatever the broker does, work only waits for the sweeper
        _state.silent_until = time.monotonic_ns() + BREAK_SECONDS * SECOND
        heard(kind)  # nobody will hear this one
        bells.labels("failed").inc()
        logger.warning("doorbell.failed: %s", problem, extra={"kind": str(kind)})
        return False
    bells.labels("rung").inc()
    return True


class _Bell(threading.Thread):
    """The publishing thread of this process."""

    _instance: "_Bell | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(name="doorbell", daemon=True)
        self.queue: SimpleQueue[str] = SimpleQueue()

    @classmethod
    def instance(cls) -> "_Bell":
        with cls._lock:
            # A forked child inherits the object but not the thread.
            if cls._instance is None or not cls._instance.is_alive():
                cls._instance = cls()
                cls._instance.start()
            return cls._instance

    def run(self) -> None:
        unrung: set[str] = set()
        while True:
            unrung |= self._rings(patience=ALONE_SECONDS if unrung else None)
            unrung = {kind for kind in unrung if not publish(kind)}
            time.sleep(PAUSE_MILLISECONDS / 1_000)

    def _rings(self, *, patience: int | None) -> set[str]:
        """What was rung meanwhile; waits for a first ring, but no longer than this."""
        kinds: set[str] = set()
        with suppress(Empty):
            kinds.add(self.queue.get(timeout=patience))
            while True:
                kind = self.queue.get_nowait()
                if kind in kinds:
                    bells.labels("coalesced").inc()
                kinds.add(kind)
        return kinds


@dataclass
class _State:
    """Of this process; times are monotonic nanoseconds."""

    silent_until: int = 0
    alone_until: dict[str, int] = field(default_factory=dict)


_state = _State()


def _is_first(kind: str) -> bool:
    """Whether no earlier ring is unheard. Raises cache.Unreachable."""
    key = _key(kind)
    words = "SET", key, "1", "NX", "EX", UNHEARD_SECONDS
    return bool(cache.ask_briefly(lambda line: line.call(*words)))


def _key(kind: str) -> str:
    return f"tieout:doorbell:{kind}"


def _send(kind: str) -> None:
    kept: _Line | None = _own.__dict__.pop("line", None)
    if kept is not None and kept.is_for_us():
        with suppress(Exception):  # the broker was restarted, perhaps; a new line will say
            kept.send(kind)
            _own.line = kept
            return
    line = _Line()
    line.send(kind)
    _own.line = line


class _Line:
    """A connection to the broker for one thread."""

    def __init__(self) -> None:
        self.url, self.pid = settings.CELERY_BROKER_URL, os.getpid()
        self.producer = current_app.amqp.Producer(connect().channel())

    def is_for_us(self) -> bool:
        return bool(self.url == settings.CELERY_BROKER_URL and self.pid == os.getpid())

    def send(self, kind: str) -> None:
        current_app.send_task(
            str(kind),
            producer=self.producer,
            queue=settings.CELERY_TASK_DEFAULT_QUEUE,
            retry=False,
            ignore_result=True,
        )


def connect() -> Any:
    """A kombu.Connection to the broker, with little patience. Raises what kombu raises."""
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **settings.BROKER_PUBLISHING_OPTIONS}
    connection: Any = Connection(
        settings.CELERY_BROKER_URL,
        ssl=current_app.conf.broker_use_ssl or False,
        connect_timeout=settings.DOORBELL_TIMEOUT_SECONDS,
        transport_options=options,
    )
    return connection.ensure_connection(max_retries=0)


def number_message(routing_key: str, properties: dict[str, Any], **_: object) -> None:
    """In a FIFO queue of SQS no message waits for another, and none is taken for another's copy."""
    if routing_key.endswith(".fifo"):
        number = uuid4().hex
        properties |= {"MessageGroupId": number, "MessageDeduplicationId": number}


before_task_publish.connect(number_message)

_own = threading.local()
