"""What an answer does to a delivery and to its endpoint.

The schedule is that of Standard Webhooks 1.0: ten tries over 75 h 35 m 5 s.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from prometheus_client import Counter, Histogram

from ledger import sql
from ledger.actors import Actor
from ledger.services import audit
from ledger.states import move, transition
from payments.events import Fact, tell
from payments.locks import lock_endpoints
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.models.webhooks import CONCURRENCY_MAX
from payments.representations import represent_endpoint
from payments.services.webhook_endpoints import set_aside
from payments.webhook_calls import GONE, Answer

logger = logging.getLogger(__name__)
answers_counted = Counter(
    "tieout_webhook_attempts_total",
    "Requests to webhook endpoints, by what came of them.",
    ["outcome"],
)
answer_seconds = Histogram(
    "tieout_webhook_attempt_seconds",
    "How long requests to webhook endpoints took.",
    buckets=[milliseconds / 1_000 for milliseconds in (10, 50, 100, 500, 1_000, 3_000, 15_000)],
)

MINUTE, HOUR = 60, 3_600
# Seconds to wait after each try that failed; after the last one there is nothing left to wait for.
WAITS = (
    *(5, 5 * MINUTE, 30 * MINUTE),
    *(2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
TRIES_MAX = len(WAITS) + 1
JITTER_PERCENT = 20

DISABLED_AFTER = timedelta(hours=72)  # in which every attempt has failed,
DISABLED_AFTER_EVENTS = 10  # of at least so many events

ACTOR = Actor.system("webhooks")
# Sent after commit with the `endpoint`, for who tells its merchant in other ways than by events.
endpoint_disabled = Signal()
Status = WebhookDelivery.Status


def lock_endpoints_of(rows: Sequence[WebhookDelivery]) -> None:
    """Each row has its endpoint as it is, one object for all of its rows."""
    endpoints = {each.pk: each for each in lock_endpoints({row.endpoint_id for row in rows})}
    for row in rows:
        row.endpoint = endpoints[row.endpoint_id]


def note_answers(held: list[WebhookDelivery], answers: dict[int, Answer]) -> None:
    """Write what became of each attempt: done, due again or given up; and what it says of its
    endpoint, which `lock_endpoints_of` has locked, and which may be disabled by it.
    """
    if not held:
        return
    now = timezone.now()
    endpoints = {row.endpoint_id: row.endpoint for row in held}
    before = {each.pk: _pace(each) for each in endpoints.values()}
    for row in sorted(held, key=lambda row: answers[row.pk].asked_at):
        _note_answer(row, row.endpoint, answers[row.pk], now)
    sql.execute("payments", "complete_deliveries", **_columns(held, answers))
    for endpoint in endpoints.values():
        gone = [row for row in held if _is_gone(row, endpoint, answers)]
        if _pace(endpoint) != before[endpoint.pk]:
            endpoint.save(update_fields=["failing_since", "concurrency"])
        if gone:
            _disable(endpoint, WebhookEndpoint.Status.DISABLED, "It answered 410 Gone.", now)
        elif _has_failed_for_long(endpoint, now):
            why = f"Every attempt has failed since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC."
            _disable(endpoint, WebhookEndpoint.Status.DISABLED_AUTO, why, now)
    for row in held:
        answer = answers[row.pk]
        answers_counted.labels(answer.problem or "delivered").inc()
        answer_seconds.observe(answer.milliseconds / 1_000)


def next_try_at(row: WebhookDelivery, *, now: datetime) -> datetime | None:
    """When to try again after `row.tries` tries; None: that was the last.

    Who waits longer once, waits as much shorter the next time, so that nobody gives up early.
    """
    if row.tries >= TRIES_MAX:
        return None
    seconds = WAITS[row.tries - 1]
    chance = hashlib.sha256(row.public_id.encode()).digest()[0]  # 0 to 255, the same every time
    percent = (chance % (2 * JITTER_PERCENT + 1) - JITTER_PERCENT) * (-1) ** row.tries
    return now + timedelta(seconds=seconds, milliseconds=10 * seconds * percent)


def _note_answer(
    row: WebhookDelivery, endpoint: WebhookEndpoint, answer: Answer, now: datetime
) -> None:
    row.tries += 1
    row.holder = None
    if not answer.problem:
        move(row, Status.DELIVERED)
        row.due_at, row.delivered_at = None, now
        endpoint.failing_since = None
        endpoint.concurrency = min(endpoint.concurrency + 1, CONCURRENCY_MAX)
        return
    endpoint.failing_since = endpoint.failing_since or answer.asked_at
    if answer.is_too_much:
        endpoint.concurrency = max(endpoint.concurrency // 2, 1)
    row.due_at = next_try_at(row, now=now)
    if row.due_at is None:
        move(row, Status.FAILED)
        return
    row.due_at = max(row.due_at, now + timedelta(seconds=answer.retry_after_seconds))
    if endpoint.status != WebhookEndpoint.Status.ENABLED:
        row.due_at = None  # it waits for its endpoint


def _pace(endpoint: WebhookEndpoint) -> tuple[datetime | None, int]:
    return endpoint.failing_since, endpoint.concurrency


def _is_gone(row: WebhookDelivery, endpoint: WebhookEndpoint, answers: dict[int, Answer]) -> bool:
    return row.endpoint_id == endpoint.pk and answers[row.pk].status_code == GONE


def _has_failed_for_long(endpoint: WebhookEndpoint, now: datetime) -> bool:
    if endpoint.failing_since is None or endpoint.failing_since > now - DISABLED_AFTER:
        return False
    tried = WebhookAttempt.objects.filter(
        delivery__endpoint=endpoint, asked_at__gte=endpoint.failing_since
    )
    events = tried.order_by().values_list("delivery__event_id").distinct()
    return len(events[:DISABLED_AFTER_EVENTS]) == DISABLED_AFTER_EVENTS


def _disable(endpoint: WebhookEndpoint, status: str, why: str, now: datetime) -> None:
    """Its deliveries wait until a person enables it; whoever should know is told."""
    if endpoint.status != WebhookEndpoint.Status.ENABLED:
        return
    transition(endpoint, status, disabled_reason=why)
    set_aside(endpoint)
    audit.record("webhook_endpoint.disabled", endpoint.public_id, actor=ACTOR, reason=why)
    # Its own delivery of this waits like the others: it is disabled by now.
    about = represent_endpoint(endpoint)
    tell(
        [Fact("webhook_endpoint.disabled", endpoint.public_id, endpoint.merchant_id, about)],
        at=now,
    )
    logger.error("webhook_endpoint.disabled: %s: %s", endpoint, why)
    say = partial(endpoint_disabled.send_robust, sender=WebhookEndpoint, endpoint=endpoint)
    transaction.on_commit(say)


def _columns(held: Sequence[WebhookDelivery], answers: dict[int, Answer]) -> dict[str, list]:
    said = [answers[row.pk] for row in held]
    return {
        "ids": [row.pk for row in held],
        "statuses": [str(row.status) for row in held],
        "tries": [row.tries for row in held],
        "due_ats": [row.due_at for row in held],
        "delivered_ats": [row.delivered_at for row in held],
        "numbers": [row.attempts for row in held],
        "asked_ats": [answer.asked_at for answer in said],
        "milliseconds": [answer.milliseconds for answer in said],
        "status_codes": [answer.status_code for answer in said],
        "errors": [str(answer.problem) for answer in said],
        "answers": [answer.text for answer in said],
    }
