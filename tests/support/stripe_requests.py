"""What the Stripe adapter is asked, as payments ask it."""

from ledger.ids import new_id
from ledger.money import Money
from payments.gateways.base import (
    Action,
    GatewayRequest,
    Outcome,
)
from payments.gateways.stripe import Stripe

TWELVE_EUROS = Money(1234, "EUR")
OLD_KEY = "pay_0192f0c1e0b87c4d9a3e5b6f7a8c9d0e"  # of 2024


def wish(
    action: Action = Action.CHARGE,
    money: Money = TWELVE_EUROS,
    *,
    source: str = "pm_card_visa",
    key: str = "",
    parent: str = "",
) -> GatewayRequest:
    key = key or new_id("re" if action == Action.REFUND else "pay")
    return GatewayRequest(key, action, money, source, "shop", "order-7", "order-7", parent)


def ask(request: GatewayRequest) -> Outcome:
    (outcome,) = Stripe("stripe").perform([request])
    return outcome


def look_up(request: GatewayRequest) -> Outcome | None:
    (outcome,) = Stripe("stripe").look_up([request])
    return outcome
