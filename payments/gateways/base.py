"""What every gateway adapter promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ledger.money import Money


class Action(StrEnum):
    CHARGE = "charge"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One thing we want done. `key` is ours, and the same on every attempt."""

    key: str
    action: Action
    money: Money
    source: str
    merchant: str
    reference: str
    parent_reference: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """It happened: money moved."""

    gateway_reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It will not happen: nothing moved."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows yet: a timeout or a server error. Never to be read as a refusal."""

    reason: str


Outcome = Accepted | Declined | Unanswered


class Gateway(Protocol):
    """Talks to one processor. Calls take a batch; an adapter over HTTP runs it concurrently.

    Never called inside a database transaction. Repeating a request with the same key must not move
    money twice.
    """

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        """Ask for each request; one outcome per request, in order. Never raises for one of them."""
        ...

    def look_up(self, keys: Sequence[str]) -> list[Outcome | None]:
        """What became of each key; None: the processor never saw it."""
        ...
