"""Doing what a merchant asks once, however often it is asked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.errors import Conflict
from payments import answers
from payments.answers import Answer
from payments.errors import IdempotencyMismatch
from payments.models import IdempotencyKey, Merchant

KEYS_PER_PURGE = 5_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it may be repeated: whose, for which operation, under which key, saying what.

    `digest` is the SHA-256 of the path and the raw body: a body written in another order is
    another request.
    """

    merchant: Merchant
    route: str
    key: str
    digest: bytes
    request_id: str


class RequestInFlight(Conflict):
    """The same request is being carried out right now."""

    code = "request_in_flight"
    retry_after = 1  # seconds

    def __init__(self) -> None:
        super().__init__("A request with this idempotency key is being carried out; ask again.")


def answer_once(asked: Asked, work: Callable[[], Answer]) -> Answer:
    """Do the work and keep its answer, or give the answer it got before.

    What the work writes, the key and the answer are one transaction. If the work raises, nothing
    has happened and the key is free. Raises RequestInFlight while somebody else is at it, and
    IdempotencyMismatch if the key was used for another request.
    """
    known = answers.recall(asked.merchant, asked.route, asked.key)
    if known is not None:
        return _replayed(known, asked)
    with transaction.atomic():
        known = _claim(asked)
        if known is not None:
            answers.remember(asked.merchant, asked.route, asked.key, known)
            return _replayed(known, asked)
        answer = replace(work(), digest=asked.digest, request_id=asked.request_id)
        sql.execute(
            "payments",
            "write_idempotency_key",
            merchant_id=asked.merchant.pk,
            route=asked.route,
            key=asked.key,
            request_digest=asked.digest,
            request_id=asked.request_id,
            http_status=answer.status,
            location=answer.location,
            body=answer.body,
        )
    transaction.on_commit(lambda: answers.remember(asked.merchant, asked.route, asked.key, answer))
    return answer


def _claim(asked: Asked) -> Answer | None:
    """Make the key ours until the transaction ends; or what it was answered before."""
    with sql.pipeline() as send:
        lock = send(
            "payments",
            "try_lock_idempotency_key",
            merchant_id=asked.merchant.pk,
            route=asked.route,
            key=asked.key,
        )
        # A statement of its own: it sees what whoever had the lock before has committed.
        found = send(
            "payments",
            "find_idempotency_key",
            merchant_id=asked.merchant.pk,
            route=asked.route,
            key=asked.key,
        )
    for status, location, body, digest, request_id in found.fetchall():
        return Answer(status, bytes(body), location, bytes(digest), request_id)
    ((is_ours,),) = lock.fetchall()
    if not is_ours:
        raise RequestInFlight()
    return None


def _replayed(known: Answer, asked: Asked) -> Answer:
    if known.digest != asked.digest:
        raise IdempotencyMismatch(asked.key)
    return replace(known, is_replay=True)


def purge_idempotency_keys(*, now: datetime | None = None) -> int:
    """Forget answers older than IDEMPOTENCY_DAYS; how many.

    What they were about stays unique by its own constraints.
    """
    oldest = (now or timezone.now()) - timedelta(days=settings.IDEMPOTENCY_DAYS)
    purged = 0
    while True:
        # Ids rise with time, give or take the time a request takes: no other index is needed.
        first = IdempotencyKey.objects.order_by("id").values_list("id", "created_at")
        old = [pk for pk, created_at in first[:KEYS_PER_PURGE] if created_at < oldest]
        if not old:
            return purged
        purged += IdempotencyKey.objects.filter(pk__in=old).delete()[0]
