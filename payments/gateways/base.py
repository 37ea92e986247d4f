"""What every gateway adapter promises."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from django.db import models

from ledger.money import Money

AUTHORIZATION_DAYS = 7  # what an authorisation lasts when its gateway does not say


class FailureCode(models.TextChoices):
    """Why something will not happen: all a `failure_code` can be, and what it means."""

    CARD_DECLINED = "card_declined", "The card was declined."
    INSUFFICIENT_FUNDS = "insufficient_funds", "The card has insufficient funds."
    EXPIRED_CARD = "expired_card", "The card has expired."
    INCORRECT_CARD_DATA = "incorrect_card_data", "The number, date or security code is wrong."
    LOST_OR_STOLEN = "lost_or_stolen", "The card was reported lost or stolen."
    FRAUD_SUSPECTED = "fraud_suspected", "The payment looks fraudulent to the gateway."
    LIMIT_EXCEEDED = "limit_exceeded", "The amount or number of payments is above a limit."
    AUTHENTICATION_REQUIRED = (
        "authentication_required",
        "The payer has to confirm the payment with the bank first.",
    )
    CURRENCY_NOT_SUPPORTED = "currency_not_supported", "It is not taken in this currency."
    INVALID_SOURCE = "invalid_source", "The gateway does not know this source."
    AUTHORIZATION_GONE = (
        "authorization_gone",
        "The gateway keeps no such authorisation: it ran out, or was captured or given back.",
    )
    CAPTURE_DECLINED = "capture_declined", "The payer's bank declined the capture."
    REFUND_DECLINED = "refund_declined", "The gateway declined the refund."
    GATEWAY_REFUSED = "gateway_refused", "The gateway refused it for a reason without a code."
    GIVEN_UP = "given_up", "We could not do it and gave it up; nothing moved."


class Action(StrEnum):
    CHARGE = "charge"
    AUTHORIZE = "authorize"  # keep the money for us; it moves with CAPTURE
    CAPTURE = "capture"  # of an authorisation: all or part of it, once; the rest is released
    CANCEL = "cancel"  # give an authorisation back
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class GatewayRequest:
    """One thing we want done. `key` is ours, and the same on every attempt.

    What captures, cancels or refunds a payment says which: `parent_reference` is our name for it,
    `parent_gateway_reference` is the gateway's.
    """

    key: str
    action: Action
    money: Money
    source: str
    merchant: str
    reference: str
    parent_reference: str = ""
    parent_gateway_reference: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """It happened: money moved, is kept for us (until when, if the gateway says so) or let go."""

    gateway_reference: str
    authorized_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """It will not happen: nothing moved. `code` is a FailureCode."""

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

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        """What became of each request that may have been made before.

        None: making it now is right; the processor never saw it, or it will not act on the same
        key twice. Never raises for one.
        """
        ...
