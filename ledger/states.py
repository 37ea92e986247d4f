"""The one way a status changes."""

from typing import Any

from ledger.errors import InvalidTransition


def transition(record: Any, target: str, **changes: object) -> None:
    """Move a locked record to `target`, saving the status and the fields that change with it."""
    move(record, target)
    for name, value in changes.items():
        setattr(record, name, value)
    record.save(update_fields=["status", *changes])


def move(record: Any, target: str) -> None:
    """Set the status of a locked record that its caller saves. Raises InvalidTransition."""
    if target not in record.TRANSITIONS[record.status]:
        raise InvalidTransition(record, target)
    record.status = target
