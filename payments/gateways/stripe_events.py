"""Stripe's events, by https://docs.stripe.com/api/events/types, in words of our own. Pure."""

from datetime import UTC, datetime
from typing import Any

from payments.gateways.inbound import (
    About,
    DisputeFact,
    DisputeNews,
    Door,
    Fact,
    News,
    NothingToDo,
    PaymentNews,
    RefundedNews,
    RefundNews,
)
from payments.gateways.stripe_amounts import money_of

KEY_NAME = "tieout_key"  # our key, in the metadata of what we make

# What became of the PaymentIntent, and which of its amounts says how much of it.
_INTENTS = {
    "payment_intent.succeeded": (Fact.SUCCEEDED, "amount_received"),
    "payment_intent.amount_capturable_updated": (Fact.AUTHORIZED, "amount_capturable"),
    "payment_intent.payment_failed": (Fact.FAILED, "amount"),
    "payment_intent.canceled": (Fact.CANCELED, "amount"),
}
_REFUNDS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_REFUND_FACTS = {
    "pending": Fact.PENDING,
    "requires_action": Fact.PENDING,
    "succeeded": Fact.SUCCEEDED,
    "failed": Fact.FAILED,
    "canceled": Fact.FAILED,
}
_DISPUTES = (
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
_DISPUTE_FACTS = {
    "needs_response": DisputeFact.OPEN,
    "under_review": DisputeFact.UNDER_REVIEW,
    "won": DisputeFact.WON,
    "lost": DisputeFact.LOST,
}


def read_event(event: dict[str, Any]) -> News:
    """What the event says. Raises KeyError and the like when it is not as documented."""
    kind, thing = event["type"], event["data"]["object"]
    if kind in _INTENTS:
        fact, amount = _INTENTS[kind]
        about = About(_key_of(thing), thing["id"])
        return PaymentNews(about, fact, money_of(thing[amount], thing["currency"]))
    if kind in _REFUNDS:
        money = money_of(thing["amount"], thing["currency"])
        about = About("", thing["payment_intent"] or "")
        return RefundNews(about, _key_of(thing), _REFUND_FACTS[thing["status"]], money)
    if kind == "charge.refunded":
        # A charge has the metadata of its PaymentIntent.
        about = About(_key_of(thing), thing["payment_intent"] or "")
        return RefundedNews(about, money_of(thing["amount_refunded"], thing["currency"]))
    if kind in _DISPUTES:
        return _dispute(event, thing)
    if kind.startswith("payout."):
        return NothingToDo("Payouts are reconciled with their report and the bank.")
    return NothingToDo("We do nothing about events of this kind.")


def _dispute(event: dict[str, Any], dispute: dict[str, Any]) -> News:
    fact = _DISPUTE_FACTS.get(dispute["status"])
    if fact is None:
        return NothingToDo(f"A dispute that is {dispute['status'][:40]} moves no money.")
    # When the money was pulled back; what ends a dispute happened with the event.
    is_over = fact in (DisputeFact.WON, DisputeFact.LOST)
    return DisputeNews(
        payment=About("", dispute["payment_intent"] or ""),
        reference=dispute["id"],
        fact=fact,
        money=money_of(dispute["amount"], dispute["currency"]),
        at=datetime.fromtimestamp(event["created"] if is_over else dispute["created"], UTC),
    )


def _key_of(thing: dict[str, Any]) -> str:
    return str((thing.get("metadata") or {}).get(KEY_NAME, ""))


DOOR = Door("Stripe-Signature", read_event)
