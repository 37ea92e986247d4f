"""The one way a status changes."""

from typing import Any, Protocol

from ledger.errors import InvalidTransition


class Stateful(Protocol):
    """A model with a `status` and the whole table of allowed moves beside it."""

    TRANSITIONS: dict[str, set[str]]
    status: str

    def save(self, *, update_fields: list[str]) -> None: ...


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


def sources_of(transitions: dict[Any, set[Any]], target: str) -> list[str]:
    """The states from which `target` may be reached, for set-based moves."""
    return [str(source) for source, targets in transitions.items() if target in targets]
