"""A processor of our own, with a journal of its own, for development, the demo and tests.

It decides by the source token (TOKENS) and remembers by the key, as real processors do.
An authorisation is captured or given back once; after seven days it is forgotten.
"""

import math
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger import sql
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
from payments.models.simulator import simulated_reference

CONCURRENT_REQUESTS = 64

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
        _take_time(requests)
        journal = self._do(requests)
        # What failed once succeeds when it is tried again.
        broken = [each.key for each in journal.values() if _is_broken(each) and not each.is_new]
        if broken:
            operations = SimulatedOperation.objects.filter(key__in=broken, outcome=Result.BROKEN)
            operations.update(outcome=Result.ACCEPTED)
        if broken or len(journal) < len(requests):  # or somebody else was doing it just now
            journal |= self._journal(requests)
        return [_answer(request, journal[request.key]) for request in requests]

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        _take_time(requests)
        journal = self._journal(requests)
        return [
            None
            if request.key not in journal or _is_broken(journal[request.key])
            else _recorded_outcome(journal[request.key])
            for request in requests
        ]

    def _journal(self, requests: Sequence[GatewayRequest]) -> dict[str, Any]:
        keys = [request.key for request in requests]
        return {
            operation.key: operation
            for operation in SimulatedOperation.objects.filter(key__in=keys)
        }

    @transaction.atomic
    def _do(self, requests: Sequence[GatewayRequest]) -> dict[str, Any]:
        """Decide and do what is new; authorisations are locked, so that each is ended once."""
        if not requests:
            return {}
        live = self._lock_live_authorisations(requests)
        codes = []
        for request in requests:
            code = _decline_code(request, live)
            if request.action in (Action.CAPTURE, Action.CANCEL) and not code:
                live.discard(request.parent_gateway_reference)
            codes.append(code)
        rows = sql.rows(
            "payments",
            "simulate_operations",
            gateway=self.gateway,
            keys=[request.key for request in requests],
            kinds=[request.action for request in requests],
            merchants=[request.merchant for request in requests],
            sources=[request.source for request in requests],
            references=[request.reference for request in requests],
            parent_references=[request.parent_reference for request in requests],
            amounts=[request.money.amount for request in requests],
            currencies=[request.money.currency for request in requests],
            outcomes=[
                _first_result(request, code) for request, code in zip(requests, codes, strict=True)
            ],
            decline_codes=codes,
        )
        return {row.key: row for row in rows}

    def _lock_live_authorisations(self, requests: Sequence[GatewayRequest]) -> set[str]:
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


def _take_time(requests: Sequence[GatewayRequest]) -> None:
    """As long as it takes over a network, when only so many requests are under way at a time."""
    if settings.SIMULATOR_LATENCY_SECONDS:
        rounds = math.ceil(len(requests) / CONCURRENT_REQUESTS)
        time.sleep(settings.SIMULATOR_LATENCY_SECONDS * rounds)


def _first_result(request: GatewayRequest, decline_code: str) -> str:
    if request.source == "tok_error_once" and request.action in (Action.CHARGE, Action.AUTHORIZE):
        return Result.BROKEN.value
    return (Result.DECLINED if decline_code else Result.ACCEPTED).value


def _is_broken(operation: Any) -> bool:
    return operation.outcome == Result.BROKEN


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


def _answer(request: GatewayRequest, operation: Any) -> Outcome:
    if request.source == "tok_timeout" and request.action != Action.REFUND:
        return Unanswered("timeout")
    if _is_broken(operation):
        return Unanswered("server_error")
    return _recorded_outcome(operation)


def _recorded_outcome(operation: Any) -> Outcome:
    """What an operation, or a row of `simulate_operations`, says."""
    if operation.outcome != Result.ACCEPTED:
        return Declined(operation.decline_code, FailureCode(operation.decline_code).label)
    reference = simulated_reference(operation.id)
    if operation.kind != Kind.AUTHORIZE:
        return Accepted(reference)
    until = operation.created_at + timedelta(days=AUTHORIZATION_DAYS)
    return Accepted(reference, authorized_until=until)
