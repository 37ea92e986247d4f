"""Business facts, told in the transaction that makes them true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder

from ledger import sql
from payments import doorbell
from payments.doorbell import Kind
from payments.event_types import EVENT_TYPES
from payments.models.events import KEPT_FOR, event_id

EVENTS_PER_PURGE = 10_000
_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class UnknownEventType(Exception):
    """A type that payments/event_types.py does not list."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to the object with the public id `subject`.

    `data` is the API's own representation of it at this moment. Without a merchant it is the
    platform's, and only operators hear of it.
    """

    type: str
    subject: str
    merchant_id: int | None
    data: dict[str, Any]


def tell(facts: Sequence[Fact], *, at: datetime) -> None:
    """Write one event per fact, and its deliveries to the endpoints that listen.

    The caller holds the locks of their subjects. Raises UnknownEventType.
    """
    if not facts:
        return
    if unknown := {fact.type for fact in facts} - EVENT_TYPES.keys():
        raise UnknownEventType(", ".join(sorted(unknown)))
    (written,) = sql.rows(
        "payments",
        "write_events",
        public_ids=[event_id() for _ in facts],
        merchant_ids=[fact.merchant_id for fact in facts],
        types=[fact.type for fact in facts],
        subjects=[fact.subject for fact in facts],
        data=[encode(fact.data) for fact in facts],
        at=at,
    )
    if written.deliveries:
        transaction.on_commit(lambda: doorbell.ring(Kind.WEBHOOKS))


def encode(data: dict[str, Any]) -> str:
    """What is shown, as the JSON that events keep."""
    return _encode(data)


def purge_events(*, now: datetime | None = None) -> int:
    """Forget what was told more than KEPT_FOR ago, with its deliveries; how many events.

    The newest event of what is not over stays, so that the next one gets the next number.
    """
    last = [each.name for each in EVENT_TYPES.values() if each.is_last]
    before, purged = (now or timezone.now()) - KEPT_FOR, 0
    while True:
        with transaction.atomic():
            count = sql.execute(
                "payments", "purge_events", before=before, last=last, limit=EVENTS_PER_PURGE
            )
        purged += count
        if count < EVENTS_PER_PURGE:
            return purged
