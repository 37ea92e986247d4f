"""Each process of a worker says now and then that it lives, so that the rows it holds stay its own.

All times are the database's: workers on machines with different clocks agree on who is alive.
"""

import logging
import os
import threading
import time
from contextlib import suppress
from datetime import timedelta

from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from payments import queues, work, workers
from payments.models import Heartbeat

logger = logging.getLogger(__name__)

NODE_ALIVE_SECONDS = 60
KEPT_FOR = timedelta(days=1)
FIRST_BEAT_SECONDS_MAX = 2
LAST_BEAT_SECONDS_MAX = 2


def start(node: str) -> None:
    """This process has a heart, and claims under its heartbeat as soon as that is written."""
    global _heart
    if _heart is None or _heart.pid != os.getpid():
        _heart = Heart(node)
        _heart.start()
        # A row claimed before the first beat would wait for the whole lease if we died.
        _heart.has_tried.wait(FIRST_BEAT_SECONDS_MAX)


def stop() -> None:
    """Everybody sees at once that this process takes no more work. Does nothing without a heart."""
    global _heart
    heart, _heart = _heart, None
    if heart is not None and heart.pid == os.getpid():
        heart.stopping.set()
        heart.join(LAST_BEAT_SECONDS_MAX)


def alive_heartbeats() -> list[int]:
    """Those that beat within DEAD_AFTER_SECONDS."""
    return list(_seen_within(work.DEAD_AFTER_SECONDS).values_list("pk", flat=True))


def nodes_alive() -> list[str]:
    """The workers of which some process was seen within NODE_ALIVE_SECONDS."""
    seen = _seen_within(NODE_ALIVE_SECONDS).order_by("node")
    return list(seen.values_list("node", flat=True).distinct())


def can_judge() -> bool:
    """Whether this process may call others dead.

    After the database was away, everybody's last beat is old. Only who has beaten for long enough
    knows that the others could have, too.
    """
    return _heart is not None and _heart.pid == os.getpid() and _heart.is_steady()


def purge_heartbeats() -> int:
    """Forget processes that ended without saying so, long ago; how many."""
    return Heartbeat.objects.filter(seen_at__lt=Now() - KEPT_FOR).delete()[0]


def _seen_within(seconds: int) -> QuerySet[Heartbeat]:
    return Heartbeat.objects.filter(seen_at__gt=Now() - timedelta(seconds=seconds))


class Heart(threading.Thread):
    """Beats every HEARTBEAT_SECONDS on a connection of its own, whatever happens."""

    def __init__(self, node: str) -> None:
        super().__init__(name="heart", daemon=True)
        self.pid = os.getpid()
        self.heartbeat = Heartbeat(node=node, pid=self.pid)
        self.stopping = threading.Event()
        self.has_tried = threading.Event()
        # When it beat last, and since when without a pause that others would take for death.
        self.beat_ms: int | None = None
        self.beats_since_ms = 0

    def run(self) -> None:
        while True:
            self._beat()
            self.has_tried.set()
            if self.stopping.wait(work.HEARTBEAT_SECONDS):
                break
        self._end()

    def is_steady(self) -> bool:
        if self.beat_ms is None or _is_long(_now_ms() - self.beat_ms):
            return False
        return _is_long(self.beat_ms - self.beats_since_ms)

    def _beat(self) -> None:
        try:
            workers.interrupt_if_late()
            close_old_connections()
            self._renew()
            _keep_long_work(self.heartbeat.pk)
            now = _now_ms()
            if self.beat_ms is None or _is_long(now - self.beat_ms):
                self.beats_since_ms = now
            self.beat_ms = now
        except Exception as problem:  # it beats again, on a new connection
            logger.warning("heartbeat.failed: %s", problem)
            _disconnect()

    def _renew(self) -> None:
        """Our row was seen now; somebody who lost it finds it again under the same id."""
        if self.heartbeat.pk is None:
            self.heartbeat.save(force_insert=True)
            work.hold_as(self.heartbeat.pk)
            return
        self.heartbeat.seen_at = Now()
        Heartbeat.objects.bulk_create(
            [self.heartbeat],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=["seen_at"],
        )

    def _end(self) -> None:
        work.hold_as(work.NO_HEARTBEAT)
        try:
            Heartbeat.objects.filter(pk=self.heartbeat.pk).delete()
        except Exception as problem:  # then it is missed after a while
            logger.warning("heartbeat.failed: %s", problem)
        _disconnect()


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _is_long(milliseconds: int) -> bool:
    return milliseconds > work.DEAD_AFTER_SECONDS * 1_000


def _keep_long_work(heartbeat: int) -> None:
    """What this process does and may take longer than a lease stays its own while it lives."""
    now = timezone.now()
    lease = timedelta(seconds=work.LEASE_SECONDS)
    for queue in queues.every():
        if queue.is_long:
            queue.model._default_manager.filter(
                holder=heartbeat, leased_until__gt=now, leased_until__lt=now + lease / 2
            ).update(leased_until=now + lease)


def _disconnect() -> None:
    with suppress(Exception):
        connection.close()


_heart: Heart | None = None
