"""Reads what seals of the audit trail are made of: the hash of each event as it is stored now."""

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from ledger import sql
from ledger.models import AuditEvent, AuditSeal
from ledger.proof import AUDIT_LEAF, AUDIT_SEAL, VERSION, pack
from ledger.seals import ENTRIES_PER_PAGE, Chain

NOUN = "audit event "


class EventContent(NamedTuple):
    """What a seal covers of one event: all of it, its id first."""

    event: tuple[Any, ...]

    @property
    def id(self) -> int:
        return int(self.event[0])

    @property
    def public_id(self) -> str:
        return f"{NOUN}#{self.id}"

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(AUDIT_LEAF + pack((VERSION, *self.event))).digest()

    @property
    def is_as_asked(self) -> bool:
        """Nothing but its seal says what an event was."""
        return True


def event_contents(*, after: int, up_to: int) -> Iterator[EventContent]:
    """Events with `after` < id <= `up_to` by id, a page of them in memory at a time."""
    while True:
        events = sql.rows(
            "ledger", "read_sealed_events", after=after, up_to=up_to, count=ENTRIES_PER_PAGE
        )
        if not events:
            return
        yield from (EventContent(tuple(event)) for event in events)
        after = events[-1].id


TRAIL = Chain(
    "audit",
    "audit trail",
    AuditEvent,
    AuditSeal,
    event_contents,
    AUDIT_SEAL,
    anchors="audit-",
    noun=NOUN,
)
