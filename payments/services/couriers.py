"""Claim, call, write in waves: who answers is written down while others keep us waiting.

A call may take 15 s and a worker has few processes, so that none of them waits for one. Each has
one courier: a thread that claims deliveries, starts a thread for each call, and writes whatever was
answered meanwhile in one transaction. Calls hold no connection to the database.
"""

import logging
import os
import threading
import time
from collections import Counter
from queue import Empty, SimpleQueue

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.utils import timezone

from ledger import sql
from payments import work, workers
from payments.events import encode
from payments.locks import lock_claiming_of_deliveries
from payments.models import Event, WebhookDelivery, WebhookEndpoint
from payments.representations import represent_event
from payments.services.engine import Trade, do_rows, note_batch, without_deadly
from payments.services.webhook_endpoints import settle_strays
from payments.services.webhook_outcomes import lock_endpoints_of, note_answers
from payments.services.webhook_secrets import unseal
from payments.webhook_calls import Answer, call
from payments.webhook_signing import signed_headers

logger = logging.getLogger(__name__)

SLOTS = 64  # calls at once of one courier
# At once of all couriers: a fifth of one's slots for a merchant, half of them for who is failing.
MERCHANT_SLOTS = SLOTS // 5
FAILING_SLOTS = SLOTS // 2
LOOK_AGAIN_SECONDS = 1
TOGETHER_MILLISECONDS = 5  # answers no further apart than this are written in one transaction
LAST_CALLS_SECONDS = 5  # for what is in hand when the process ends; the rest is given back
PAUSE_SECONDS = 1  # after the database was away


def wake() -> None:
    """The courier of this process looks for deliveries that are due, now or as soon as it can."""
    _CourierThread.instance().wake()


def stop() -> None:
    """The courier of this process, if any, ends its calls or gives the deliveries back."""
    _CourierThread.end()


class Courier:
    """Deliveries in hand and what was answered; used by one thread."""

    def __init__(self) -> None:
        self.in_hand: dict[int, WebhookDelivery] = {}
        self.unwritten: dict[int, Answer | Exception] = {}
        self.is_unsure = False  # whether some of these may be written already
        # What calling threads put in; None: look for more.
        self.answered: SimpleQueue[tuple[WebhookDelivery, Answer | Exception] | None]
        self.answered = SimpleQueue()
        self.ends_at_ns: int | None = None
        self.settles_at_ns = 0

    def deliver(self) -> int:
        """Take and call until nothing is due and nobody is awaited; returns how many were taken."""
        taken = count = self.take()
        while taken or self.in_hand:
            self.wait()
            self.write()
            if self.ends_at_ns is not None and time.monotonic_ns() > self.ends_at_ns:
                work.release(WebhookDelivery, list(self.in_hand.values()))
                break
            taken = self.take()
            count += taken
        return count

    def end_within(self, seconds: int) -> None:
        """From now on nothing is taken, and what is not answered in time is given back."""
        self.ends_at_ns = time.monotonic_ns() + seconds * 10**9

    def take(self) -> int:
        """Claim what there is room for and begin to call; returns how many rows it took."""
        free = SLOTS - len(self.in_hand)
        if free <= 0 or self.ends_at_ns is not None or workers.is_stopping():
            return 0
        now = time.monotonic_ns()
        is_due = now >= self.settles_at_ns
        if is_due:
            self.settles_at_ns = now + LOOK_AGAIN_SECONDS * 10**9
        claimed = claim(free, settles=is_due)
        for row in without_deadly(claimed):
            self.in_hand[row.pk] = row
            self.unwritten.pop(row.pk, None)  # of an earlier attempt, which was overtaken by now
            self._begin(row)
        return len(claimed)

    def wait(self) -> None:
        """Until somebody has answered, or there may be more to take."""
        if not self.in_hand:
            return
        try:
            said = self.answered.get(timeout=LOOK_AGAIN_SECONDS)
            while True:
                if said is not None and self.in_hand.get(said[0].pk) is said[0]:
                    self.unwritten[said[0].pk] = said[1]
                said = self.answered.get(timeout=TOGETHER_MILLISECONDS / 1_000)
        except Empty:
            return

    def write(self) -> None:
        """Write all that was answered. What cannot be written now is kept for the next time."""
        if not self.unwritten:
            return
        answers, started = dict(self.unwritten), time.monotonic()
        wave = self._to_write()
        trade = Trade(
            WebhookDelivery,
            find=lambda rows: {row.pk: _or_raise(answers[row.pk]) for row in rows},
            write=note_answers,
            lock_first=lock_endpoints_of,
        )
        self.is_unsure = True
        outcomes = do_rows(sorted(wave, key=lambda row: row.pk), trade) if wave else Counter()
        self.is_unsure = False
        for pk in answers:
            del self.in_hand[pk], self.unwritten[pk]
        note_batch(wave, outcomes, int(1_000 * (time.monotonic() - started)))

    def _to_write(self) -> list[WebhookDelivery]:
        """What was answered; as it stands, if nobody knows how the last transaction ended."""
        rows = [self.in_hand[pk] for pk in self.unwritten]
        if not self.is_unsure:
            return rows
        return [row for row in work.read_again(WebhookDelivery, rows) if row.holder is not None]

    def _begin(self, row: WebhookDelivery) -> None:
        try:
            body = encode(represent_event(row.event)).encode()
            arguments = (row, row.endpoint.url, _headers_of(row, body), body)
            threading.Thread(target=self._call, args=arguments, name="webhook", daemon=True).start()
        except Exception as problem:  # of this row alone; the engine counts it
            self.answered.put((row, problem))

    def _call(self, row: WebhookDelivery, url: str, headers: dict[str, str], body: bytes) -> None:
        try:
            self.answered.put((row, call(url, headers=headers, body=body)))
        except Exception as problem:
            self.answered.put((row, problem))


@transaction.atomic
def claim(limit: int, *, settles: bool = True) -> list[WebhookDelivery]:
    """Take up to so many due deliveries, fairly, with their events and endpoints.

    With `settles`, when there are none, those are looked for that are not as their endpoint says.
    """
    lock_claiming_of_deliveries()
    chosen = _choose(limit)
    if not chosen and settles and settle_strays():
        chosen = _choose(limit)
    if not chosen:
        return []
    claimed = work.claim(WebhookDelivery, limit=limit, among=chosen)
    events = Event.objects.select_related("merchant").in_bulk({row.event_id for row in claimed})
    endpoints = WebhookEndpoint.objects.in_bulk({row.endpoint_id for row in claimed})
    for row in claimed:
        row.event, row.endpoint = events[row.event_id], endpoints[row.endpoint_id]
    return claimed


def _choose(limit: int) -> list[int]:
    rows = sql.rows(
        "payments",
        "choose_deliveries",
        now=timezone.now(),
        merchant_max=MERCHANT_SLOTS,
        failing_max=FAILING_SLOTS,
        free=limit,
    )
    return [row.id for row in rows]


def _headers_of(row: WebhookDelivery, body: bytes) -> dict[str, str]:
    endpoint, now = row.endpoint, timezone.now()
    secrets = [unseal(endpoint.secret)]
    until = endpoint.previous_secret_until
    if endpoint.previous_secret is not None and until is not None and until > now:
        secrets.append(unseal(endpoint.previous_secret))
    return signed_headers(
        body, message_id=row.event.public_id, at=int(now.timestamp()), secrets=secrets
    )


def _or_raise(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    return answer


class _CourierThread(threading.Thread):
    """Lives as long as its process; sleeps without a connection while nothing is due."""

    _instance: "_CourierThread | None" = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(name="courier", daemon=True)
        self.courier = Courier()
        self.pid = os.getpid()
        self.bell = threading.Event()
        self.must_end = threading.Event()

    @classmethod
    def instance(cls) -> "_CourierThread":
        with cls._lock:
            # A forked child inherits the object but not the thread.
            if cls._instance is None or not cls._instance.is_alive():
                cls._instance = cls()
                cls._instance.start()
            return cls._instance

    @classmethod
    def end(cls) -> None:
        with cls._lock:
            thread, cls._instance = cls._instance, None
        if thread is not None and thread.pid == os.getpid() and thread.is_alive():
            thread.courier.end_within(LAST_CALLS_SECONDS)
            thread.must_end.set()
            thread.wake()
            thread.join(LAST_CALLS_SECONDS + 2 * LOOK_AGAIN_SECONDS)

    def wake(self) -> None:
        self.bell.set()
        self.courier.answered.put(None)

    def run(self) -> None:
        while not self.must_end.is_set():
            self.bell.wait()
            self.bell.clear()
            self._deliver()
        connection.close()

    def _deliver(self) -> None:
        try:
            close_old_connections()
            self.courier.deliver()
            connection.close()
            return
        except (OperationalError, InterfaceError) as problem:  # what was answered is kept
            logger.warning("courier.failed: %s", problem)
        except Exception:
            logger.exception("courier.failed")
        time.sleep(PAUSE_SECONDS)
        self.bell.set()
