"""What gateways tell us by themselves, in words of our own.

News never moves money by what it says: it makes us ask, or must agree with what we know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ledger.money import Money


class Fact(StrEnum):
    """What is said to have become of a payment or refund."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeFact(StrEnum):
    OPEN = "OPEN"
    UNDER_REVIEW = "UNDER_REVIEW"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class About:
    """Which payment: the key we asked under ("" if unsaid) and the gateway's own name."""

    key: str
    gateway_reference: str


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """`money` is what is authorised or moved."""

    payment: About
    fact: Fact
    money: Money


@dataclass(frozen=True, slots=True)
class RefundNews:
    """About the refund we asked for under `key`; "" if we asked for none."""

    payment: About
    key: str
    fact: Fact
    money: Money


@dataclass(frozen=True, slots=True)
class RefundedNews:
    """All that was ever refunded of a payment."""

    payment: About
    money: Money


@dataclass(frozen=True, slots=True)
class DisputeNews:
    """`reference` is the gateway's name for it; `at`: when this became so."""

    payment: About
    reference: str
    fact: DisputeFact
    money: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """News of another kind, or about nothing of ours; kept."""

    why: str


News = PaymentNews | RefundNews | RefundedNews | DisputeNews | NothingToDo


@dataclass(frozen=True, slots=True)
class Door:
    """How a gateway's messages come in: the header with the signature, and how they are read.

    `read` takes the parsed body; what it raises (KeyError, TypeError, ValueError, a DomainError)
    means that the message is not as documented.
    """

    signature_header: str
    read: Callable[[dict[str, Any]], News]
