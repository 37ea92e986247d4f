"""Every kind of event there is: the table that `tell`, the API, the documents and OpenAPI read."""

from collections.abc import Iterable
from dataclasses import dataclass

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class EventType:
    """`when` it is told; `data` is what the API shows of its subject then, a component of OpenAPI.

    Nothing is told of a subject after an event that `is_last`. What the API `adds` to `data` by the
    day on which it is asked is in no event.
    """

    name: str
    when: str
    data: str
    is_last: bool = False
    adds: frozenset[str] = frozenset()

    @property
    def family(self) -> str:
        """The pattern that takes all events about the same kind of thing."""
        return f"{self.name.partition('.')[0]}.*"


_AGEING = frozenset({"age_days", "age_bucket", "action"})

_TYPES = (
    EventType("payment.authorized", "The payer's bank keeps the money for you.", "PaymentOutput"),
    EventType("payment.succeeded", "The money moved; `fee` is taken.", "PaymentOutput", True),
    EventType("payment.failed", "It was declined; nothing moved.", "PaymentOutput", True),
    EventType("payment.canceled", "An authorisation was given back.", "PaymentOutput", True),
    EventType("payment.expired", "An authorisation ran out.", "PaymentOutput", True),
    EventType(
        "payment.capture_failed",
        "A capture was declined; it is still authorised.",
        "PaymentOutput",
    ),
    EventType(
        "payment.cancel_failed",
        "A cancellation was declined; it is still authorised.",
        "PaymentOutput",
    ),
    EventType("refund.succeeded", "The money went back to the payer.", "RefundOutput", True),
    EventType(
        "refund.failed", "It was declined; its amount can be refunded again.", "RefundOutput", True
    ),
    EventType("dispute.opened", "The payer's bank took the money back.", "DisputeOutput"),
    EventType("dispute.under_review", "Evidence was handed in.", "DisputeOutput"),
    EventType("dispute.won", "The money is yours again; the fee stays.", "DisputeOutput", True),
    EventType("dispute.lost", "The money stays with the payer.", "DisputeOutput", True),
    EventType(
        "transfer.completed", "It moved, and its entry is posted.", "TransactionOutput", True
    ),
    EventType("transfer.failed", "It was refused; nothing moved.", "TransactionOutput", True),
    EventType(
        "settlement.closed",
        "A business day was closed; this is what it came to.",
        "SettlementOutput",
        True,
    ),
    EventType("payout.created", "It is due, and somebody has to approve it.", "PayoutOutput"),
    EventType("payout.approved", "It may go to the bank.", "PayoutOutput"),
    EventType("payout.sent", "The bank was told.", "PayoutOutput"),
    EventType("payout.paid", "It left our bank account.", "PayoutOutput"),
    EventType(
        "payout.rejected", "The bank refused it; another one is created.", "PayoutOutput", True
    ),
    EventType("payout.returned", "It came back; another one is created.", "PayoutOutput", True),
    EventType(
        "payout.canceled",
        "It never leaves; its money joins the next settlement.",
        "PayoutOutput",
        True,
    ),
    EventType("reconciliation.completed", "A run of the matching rules ended.", "RunOutput", True),
    EventType(
        "discrepancy.opened",
        "Our books and a statement differ, or do so again.",
        "AgedDiscrepancyOutput",
        adds=_AGEING,
    ),
    EventType(
        "discrepancy.resolved",
        "Evidence, a person or a written-off amount ended it.",
        "AgedDiscrepancyOutput",
        adds=_AGEING,
    ),
    EventType(
        "webhook_endpoint.disabled",
        "It failed for days, or answered 410; it waits until somebody enables it.",
        "WebhookEndpointOutput",
    ),
    EventType(
        "webhook.test",
        "Somebody asked for it. It goes to the one endpoint, whatever that listens to.",
        "WebhookEndpointOutput",
    ),
)
EVENT_TYPES = {each.name: each for each in _TYPES}
PATTERNS = frozenset({EVERYTHING, *EVENT_TYPES, *(each.family for each in _TYPES)})


def unknown_among(patterns: Iterable[str]) -> list[str]:
    """Those that match no event there is."""
    return sorted(set(patterns) - PATTERNS)


def names_of(patterns: Iterable[str]) -> list[str]:
    """The events that any of these matches."""
    wanted = set(patterns)
    return [each.name for each in _TYPES if wanted & {EVERYTHING, each.name, each.family}]
