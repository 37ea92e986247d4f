"""A processor of our own, with a journal of its own, for development, the demo and tests.

It decides by the source token and remembers by the key, as real processors do:

| token | behaviour |
|---|---|
| `tok_visa`, `tok_mastercard` | accepted |
| `tok_insufficient_funds` | declined, `insufficient_funds` |
| `tok_declined` and any unknown token | declined, `card_declined` |
| `tok_timeout` | accepted, but the call is never answered; the answer comes when asked |
| `tok_error_once` | the first call fails with a server error, the next is accepted |
| `tok_dispute` | accepted, and disputed in the day's settlement report |
"""

from collections.abc import Sequence

from payments.gateways.base import Accepted, Action, Declined, GatewayRequest, Outcome, Unanswered
from payments.models import SimulatedOperation

ACCEPTED_TOKENS = {"tok_visa", "tok_mastercard", "tok_timeout", "tok_error_once", "tok_dispute"}
DECLINES = {
    "insufficient_funds": "The card has insufficient funds.",
    "card_declined": "The card was declined.",
}


class Simulator:
    """See the module. One instance per configured gateway code."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        seen_before = set(
            SimulatedOperation.objects.filter(
                key__in=[request.key for request in requests]
            ).values_list("key", flat=True)
        )
        SimulatedOperation.objects.bulk_create(
            [self._remember(request) for request in requests if request.key not in seen_before],
            ignore_conflicts=True,
        )
        SimulatedOperation.objects.filter(
            key__in=seen_before, outcome=SimulatedOperation.Outcome.BROKEN
        ).update(outcome=SimulatedOperation.Outcome.ACCEPTED)
        journal = self._journal([request.key for request in requests])
        return [self._answer(request, journal[request.key]) for request in requests]

    def look_up(self, keys: Sequence[str]) -> list[Outcome | None]:
        journal = self._journal(keys)
        return [
            None
            if key not in journal or journal[key].outcome == SimulatedOperation.Outcome.BROKEN
            else _recorded_outcome(journal[key])
            for key in keys
        ]

    def _journal(self, keys: Sequence[str]) -> dict[str, SimulatedOperation]:
        return {
            operation.key: operation
            for operation in SimulatedOperation.objects.filter(key__in=list(keys))
        }

    def _remember(self, request: GatewayRequest) -> SimulatedOperation:
        outcome, decline_code = _decide(request)
        return SimulatedOperation(
            gateway=self.gateway,
            key=request.key,
            kind=request.action,
            merchant=request.merchant,
            source=request.source,
            reference=request.reference,
            parent_reference=request.parent_reference,
            amount=request.money.amount,
            currency=request.money.currency,
            outcome=outcome,
            decline_code=decline_code,
        )

    def _answer(self, request: GatewayRequest, operation: SimulatedOperation) -> Outcome:
        if request.action == Action.CHARGE and request.source == "tok_timeout":
            return Unanswered("timeout")
        if operation.outcome == SimulatedOperation.Outcome.BROKEN:
            return Unanswered("server_error")
        return _recorded_outcome(operation)


def _decide(request: GatewayRequest) -> tuple[str, str]:
    outcomes = SimulatedOperation.Outcome
    if request.action == Action.REFUND:
        return outcomes.ACCEPTED, ""
    if request.source == "tok_error_once":
        return outcomes.BROKEN, ""
    if request.source in ACCEPTED_TOKENS:
        return outcomes.ACCEPTED, ""
    code = request.source.removeprefix("tok_")
    return outcomes.DECLINED, code if code in DECLINES else "card_declined"


def _recorded_outcome(operation: SimulatedOperation) -> Outcome:
    if operation.outcome == SimulatedOperation.Outcome.ACCEPTED:
        return Accepted(operation.gateway_reference)
    return Declined(operation.decline_code, DECLINES[operation.decline_code])
