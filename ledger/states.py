"""The one way a status changes."""

from functools import cache
from typing import Any

from django.db import transaction
from prometheus_client import Counter

from ledger.errors import InvalidTransition

changes = Counter(
    "tieout_state_changes_total",
    "Records that came to a state, by what they are; counted when it is committed.",
    ["machine", "status"],
)


def transition(record: Any, target: str, **fields: object) -> None:
    """Move a locked record to `target`, saving the status and the fields that change with it."""
    move(record, target)
    for name, value in fields.items():
        setattr(record, name, value)
    record.save(update_fields=["status", *fields])


def move(record: Any, target: str) -> None:
    """Set the status of a locked record that its caller saves. Raises InvalidTransition."""
    if target not in record.TRANSITIONS[record.status]:
        raise InvalidTransition(record, target)
    record.status = target
    transaction.on_commit(_counter_of(type(record).__name__.lower(), str(target)).inc)


@cache
def _counter_of(machine: str, status: str) -> Counter:
    return changes.labels(machine, status)
