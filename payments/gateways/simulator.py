"""A processor of our own, with a journal of its own, for development, the demo and tests.

It decides by the source token (TOKENS) and remembers by the key, as real processors do.
An authorisation is captured or given back once; after seven days it is forgotten.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from payments.gateways.base import (
    AUTHORIZATION_DAYS,
    Accepted,
    Action,
    Declined,
    FailureCode,
    GatewayRequest,
    Outcome,
    Unanswered,
)
from payments.models import SimulatedOperation

ACCEPTED_TOKENS = {
    "tok_visa": "accepted",
    "tok_mastercard": "accepted",
    "tok_timeout": "accepted, but no call is answered; the answer comes when it is asked for later",
    "tok_error_once": "the first call fails with a server error, the next is accepted",
    "tok_capture_declined": "accepted; with manual capture, the capture is declined",
    "tok_refund_declined": "accepted, but refunds are declined",
    "tok_dispute": "accepted, and disputed in the day's settlement report",
}
_DECLINED_TOKENS = {
    "tok_declined": FailureCode.CARD_DECLINED,
    "tok_insufficient_funds": FailureCode.INSUFFICIENT_FUNDS,
    "tok_expired_card": FailureCode.EXPIRED_CARD,
    "tok_incorrect_card_data": FailureCode.INCORRECT_CARD_DATA,
    "tok_lost_or_stolen": FailureCode.LOST_OR_STOLEN,
    "tok_fraud_suspected": FailureCode.FRAUD_SUSPECTED,
    "tok_limit_exceeded": FailureCode.LIMIT_EXCEEDED,
    "tok_authentication_required": FailureCode.AUTHENTICATION_REQUIRED,
}
# What each source does. Any other is declined: `card_declined`.
TOKENS = ACCEPTED_TOKENS | {
    token: f"declined, `{code}`" for token, code in _DECLINED_TOKENS.items()
}

Kind = SimulatedOperation.Kind
Result = SimulatedOperation.Outcome


class Simulator:
    """See the module. One instance per configured gateway code."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        seen_before = set(self._journal(requests))
        self._remember([request for request in requests if request.key not in seen_before])
        SimulatedOperation.objects.filter(key__in=seen_before, outcome=Result.BROKEN).update(
            outcome=Result.ACCEPTED
        )
        journal = self._journal(requests)
        return [_answer(request, journal[request.key]) for request in requests]

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        journal = self._journal(requests)
        return [
            None
            if request.key not in journal or journal[request.key].outcome == Result.BROKEN
            else _recorded_outcome(journal[request.key])
            for request in requests
        ]

    def _journal(self, requests: Sequence[GatewayRequest]) -> dict[str, SimulatedOperation]:
        keys = [request.key for request in requests]
        return {
            operation.key: operation
            for operation in SimulatedOperation.objects.filter(key__in=keys)
        }

    @transaction.atomic
    def _remember(self, requests: list[GatewayRequest]) -> None:
        """Decide what is new; authorisations are locked, so that each is ended once."""
        live = self._lock_live_authorisations(requests)
        operations = []
        for request in requests:
            code = _decline_code(request, live)
            if request.action in (Action.CAPTURE, Action.CANCEL) and not code:
                live.discard(request.parent_gateway_reference)
            operations.append(self._operation(request, code))
        SimulatedOperation.objects.bulk_create(operations, ignore_conflicts=True)

    def _lock_live_authorisations(self, requests: list[GatewayRequest]) -> set[str]:
        """Those the requests want to end that nothing has ended and time has not, by our name."""
        names = {
            request.parent_gateway_reference
            for request in requests
            if request.action in (Action.CAPTURE, Action.CANCEL)
        }
        if not names:
            return set()
        authorisations = list(
            SimulatedOperation.objects.select_for_update()
            .filter(
                pk__in=[int(name.removeprefix("sim_")) for name in names],
                gateway=self.gateway,
                kind=Kind.AUTHORIZE,
                outcome=Result.ACCEPTED,
                created_at__gt=timezone.now() - timedelta(days=AUTHORIZATION_DAYS),
            )
            .order_by("pk")
        )
        ended = set(
            SimulatedOperation.objects.filter(
                gateway=self.gateway,
                kind__in=[Kind.CAPTURE, Kind.CANCEL],
                outcome=Result.ACCEPTED,
                parent_reference__in=[operation.reference for operation in authorisations],
            ).values_list("merchant", "parent_reference")
        )
        return {
            operation.gateway_reference
            for operation in authorisations
            if (operation.merchant, operation.reference) not in ended
        }

    def _operation(self, request: GatewayRequest, decline_code: str) -> SimulatedOperation:
        fails_once = request.source == "tok_error_once" and request.action in (
            Action.CHARGE,
            Action.AUTHORIZE,
        )
        outcome = Result.DECLINED if decline_code else Result.ACCEPTED
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
            outcome=Result.BROKEN if fails_once else outcome,
            decline_code=decline_code,
        )


def _decline_code(request: GatewayRequest, live: set[str]) -> str:
    """Why the request is declined; empty: it is not."""
    match request.action:
        case Action.REFUND:
            declined = request.source == "tok_refund_declined"
            return FailureCode.REFUND_DECLINED if declined else ""
        case Action.CAPTURE | Action.CANCEL:
            if request.parent_gateway_reference not in live:
                return FailureCode.AUTHORIZATION_GONE
            declined = (request.source, request.action) == ("tok_capture_declined", Action.CAPTURE)
            return FailureCode.CAPTURE_DECLINED if declined else ""
        case _ if request.source in ACCEPTED_TOKENS:
            return ""
        case _:
            return _DECLINED_TOKENS.get(request.source, FailureCode.CARD_DECLINED)


def _answer(request: GatewayRequest, operation: SimulatedOperation) -> Outcome:
    if request.source == "tok_timeout" and request.action != Action.REFUND:
        return Unanswered("timeout")
    if operation.outcome == Result.BROKEN:
        return Unanswered("server_error")
    return _recorded_outcome(operation)


def _recorded_outcome(operation: SimulatedOperation) -> Outcome:
    if operation.outcome != Result.ACCEPTED:
        return Declined(operation.decline_code, FailureCode(operation.decline_code).label)
    if operation.kind != Kind.AUTHORIZE:
        return Accepted(operation.gateway_reference)
    until = operation.created_at + timedelta(days=AUTHORIZATION_DAYS)
    return Accepted(operation.gateway_reference, authorized_until=until)
