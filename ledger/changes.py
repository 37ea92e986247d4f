"""The kinds of changes that take two people: who may, what is in force, how they are carried out.

Each floor defines the carriers of its own settings; the roof registers them all when it starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.actors import Actor
from ledger.models import ChangeRequest

Payload = dict[str, Any]
STEPS = ("request", "approve", "refuse", "withdraw")


class Person(Protocol):
    def has_perm(self, perm: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Carrier:
    """Knows one kind of change.

    `in_force` locks what the payload would replace until the transaction ends, and returns it: the
    payload's own fields as they are now, in plain JSON. `carry_out` makes what is asked for so, for
    whoever approved it, or raises a DomainError. `is_party` says whether the actor is the one that
    the change is about, who neither asks nor approves.
    """

    app: str
    kind: str
    title: str
    seen_with: str  # a permission
    in_force: Callable[[Payload], Payload]
    carry_out: Callable[[ChangeRequest, Actor], object]
    is_party: Callable[[Payload, Actor], bool] = lambda payload, actor: False

    def permission(self, step: str) -> str:
        """To take one of STEPS."""
        return f"{self.app}.{step}_{self.kind}"

    def is_seen_by(self, person: Person) -> bool:
        """By who sees what it is about, and by who has a part in it."""
        permissions = (self.seen_with, *map(self.permission, STEPS))
        return any(person.has_perm(each) for each in permissions)


_carriers: dict[str, Carrier] = {}


def register(carriers: Iterable[Carrier]) -> None:
    _carriers.update({carrier.kind: carrier for carrier in carriers})


def carriers() -> list[Carrier]:
    return list(_carriers.values())


def carrier_of(change: ChangeRequest) -> Carrier:
    return _carriers[change.kind]
