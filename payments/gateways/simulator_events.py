"""What the simulated processor tells by itself; a test or a demo plays it.

    {"id": "evt_1", "type": "payment.succeeded", "created": 1767225600,
     "payment": "pay_…", "amount": "100.00", "currency": "EUR"}

`type` is payment.succeeded, .authorized, .failed or .canceled, or dispute.open, .under_review, .won
or .lost, the latter with a `dispute` besides.
"""

from datetime import UTC, datetime
from typing import Any

from ledger.money import Money
from payments.gateways.inbound import (
    About,
    DisputeFact,
    DisputeNews,
    Door,
    Fact,
    News,
    NothingToDo,
    PaymentNews,
)


def read_event(event: dict[str, Any]) -> News:
    """What the event says. Raises KeyError and the like when it is not as above."""
    noun, _, fact = event["type"].partition(".")
    if noun not in ("payment", "dispute"):
        return NothingToDo("We do nothing about events of this kind.")
    about = About(event["payment"], "")
    money = Money.of(event["amount"], event["currency"])
    if noun == "payment":
        return PaymentNews(about, Fact(fact), money)
    at = datetime.fromtimestamp(event["created"], UTC)
    return DisputeNews(about, event["dispute"], DisputeFact(fact.upper()), money, at)


DOOR = Door("Simulator-Signature", read_event)
