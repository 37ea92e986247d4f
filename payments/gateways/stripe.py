"""Stripe, by its own library: PaymentIntents made and confirmed in one call, and Refunds.

Nothing is done twice, because (https://docs.stripe.com/api/idempotent_requests) Stripe keeps what a
key was answered for at least 24 hours, errors included. So what is younger is looked up by
repeating it; what is older has long been in the search index, which is an hour behind at the worst
(https://docs.stripe.com/api/payment_intents/search), or in the list of a payment's refunds, which
never is. Captures and cancellations are looked up in their PaymentIntent.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any, TypeVar

import stripe

from payments.gateways.base import (
    Action,
    Declined,
    FailureCode,
    GatewayRequest,
    Outcome,
    Unanswered,
)
from payments.gateways.environment import secret_of, setting_of
from payments.gateways.stripe_amounts import AmountNotTaken, CurrencyNotTaken, stripe_amount
from payments.gateways.stripe_answers import (
    contradiction,
    key_of,
    outcome_of_authorisation,
    outcome_of_intent,
    outcome_of_refund,
    outcome_of_refusal,
    unanswered,
)
from payments.gateways.stripe_events import KEY_NAME

CONCURRENT_MAX = 16
CONNECT_SECONDS = 5
READ_SECONDS = 20
# By the wall clock, for a whole batch; looking up and performing together stay within a lease.
DEADLINE_SECONDS = 25
KEY_IS_KEPT = timedelta(hours=20)  # 24 by the documentation
REFUNDS_PER_PAGE = 100

Answer = TypeVar("Answer", Outcome, Outcome | None)


class Stripe:
    """See the module. Raises GatewaySecretMissing unless GATEWAY_<CODE>_SECRET_KEY is set."""

    def __init__(self, gateway: str, *, deadline_seconds: int = DEADLINE_SECONDS) -> None:
        self.gateway = gateway
        self.deadline_seconds = deadline_seconds
        base = setting_of(gateway, "API_BASE")
        client = stripe.StripeClient(
            secret_of(gateway, "SECRET_KEY"),
            base_addresses={"api": base} if base else {},
            http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
            max_network_retries=0,  # the work queue repeats, with a pause that grows
        )
        self.intents = client.v1.payment_intents
        self.refunds = client.v1.refunds

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        return self._concurrently(self._perform, requests)

    def look_up(self, requests: Sequence[GatewayRequest]) -> list[Outcome | None]:
        return self._concurrently(self._look_up, requests)

    def _concurrently(
        self, ask: Callable[[GatewayRequest], Answer], requests: Sequence[GatewayRequest]
    ) -> list[Answer | Unanswered]:
        """Every answer there is before the deadline; what is late is asked about next time."""
        if not requests:
            return []
        pool = ThreadPoolExecutor(min(CONCURRENT_MAX, len(requests)), thread_name_prefix="stripe")
        futures = [pool.submit(_carefully, ask, request) for request in requests]
        in_time, _ = wait(futures, timeout=self.deadline_seconds)
        pool.shutdown(wait=False, cancel_futures=True)
        return [
            future.result() if future in in_time else Unanswered("timeout") for future in futures
        ]

    def _perform(self, request: GatewayRequest) -> Outcome:
        match request.action:
            case Action.CHARGE | Action.AUTHORIZE:
                return self._pay(request)
            case Action.REFUND:
                return self._refund(request)
            case Action.CAPTURE | Action.CANCEL:
                return self._end_authorisation(request)

    def _look_up(self, request: GatewayRequest) -> Outcome | None:
        match request.action:
            case Action.CAPTURE | Action.CANCEL:
                return outcome_of_authorisation(request, self._parent(request))
            case _ if _age_of(request.key) < KEY_IS_KEPT:
                return None  # made again under its key, it is answered what it was answered
            case Action.REFUND:
                return self._find_refund(request)
            case _:
                return self._find_intent(request)

    def _pay(self, request: GatewayRequest) -> Outcome:
        try:
            intent = self.intents.create(
                {
                    "amount": stripe_amount(request.money),
                    "currency": request.money.currency.lower(),
                    "payment_method": request.source,
                    "capture_method": (
                        "manual" if request.action == Action.AUTHORIZE else "automatic"
                    ),
                    "confirm": True,
                    # Nobody is there to confirm anything with the payer's bank.
                    "error_on_requires_action": True,
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    "metadata": _metadata_of(request),
                    "expand": ["latest_charge"],
                },
                {"idempotency_key": request.key},
            )
        except stripe.StripeError as error:
            if _is_replay(error) and (error.http_status or 0) >= 500:
                # The key will never say more than that; the index will.
                return self._find_intent(request) or Unanswered("error_kept")
            return outcome_of_refusal(request, error)
        if _is_replay(intent.last_response):
            intent = self._intent(intent.id)  # the answer is as old as the first request
        return outcome_of_intent(request, intent)

    def _find_intent(self, request: GatewayRequest) -> Outcome | None:
        found = self.intents.search({"query": f"metadata['{KEY_NAME}']:'{request.key}'"}).data
        if not found:
            return None
        intents = [self._intent(intent.id) for intent in found]
        if len(intents) > 1:
            return contradiction(request, intents[-1])
        return outcome_of_intent(request, intents[0])

    def _refund(self, request: GatewayRequest) -> Outcome:
        if not request.parent_gateway_reference:
            return Declined(FailureCode.GATEWAY_REFUSED, "Stripe did not take this payment.")
        try:
            refund = self.refunds.create(
                {
                    "payment_intent": request.parent_gateway_reference,
                    "amount": stripe_amount(request.money),
                    "metadata": _metadata_of(request),
                },
                {"idempotency_key": request.key},
            )
        except stripe.StripeError as error:
            if _is_replay(error) and (error.http_status or 0) >= 500:
                return self._find_refund(request) or Unanswered("error_kept")
            return outcome_of_refusal(request, error)
        if _is_replay(refund.last_response):
            refund = self.refunds.retrieve(refund.id)
        return outcome_of_refund(request, refund)

    def _find_refund(self, request: GatewayRequest) -> Outcome | None:
        page = self.refunds.list(
            {"payment_intent": request.parent_gateway_reference, "limit": REFUNDS_PER_PAGE}
        )
        for refund in page.auto_paging_iter():
            if key_of(refund) == request.key:
                return outcome_of_refund(request, refund)
        return None

    def _end_authorisation(self, request: GatewayRequest) -> Outcome:
        reference = request.parent_gateway_reference
        try:
            if request.action == Action.CAPTURE:
                amount = stripe_amount(request.money)
                self.intents.capture(
                    reference, {"amount_to_capture": amount}, {"idempotency_key": request.key}
                )
            else:
                self.intents.cancel(reference, {}, {"idempotency_key": request.key})
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            # Perhaps because it is done: the PaymentIntent knows.
            done = outcome_of_authorisation(request, self._parent(request))
            return outcome_of_refusal(request, error) if done is None else done
        return outcome_of_authorisation(request, self._parent(request)) or Unanswered("not_yet")

    def _parent(self, request: GatewayRequest) -> stripe.PaymentIntent:
        return self._intent(request.parent_gateway_reference)

    def _intent(self, reference: str) -> stripe.PaymentIntent:
        return self.intents.retrieve(reference, {"expand": ["latest_charge"]})


def _carefully(
    ask: Callable[[GatewayRequest], Answer], request: GatewayRequest
) -> Answer | Outcome:
    try:
        return ask(request)
    except CurrencyNotTaken as refusal:
        return Declined(FailureCode.CURRENCY_NOT_SUPPORTED, refusal.message)
    except AmountNotTaken as refusal:
        return Declined(FailureCode.GATEWAY_REFUSED, refusal.message)
    except Exception as error:  # one request's trouble is not its neighbours'
        return unanswered(request, error)


def _metadata_of(request: GatewayRequest) -> dict[str, str]:
    """Settlement reports show `reference`; events and searches find what is ours by the key."""
    return {
        KEY_NAME: request.key,
        "reference": request.reference,
        "merchant": request.merchant,
    }


def _age_of(key: str) -> timedelta:
    """How long ago the key was made, which is before it was first used: it is a UUIDv7."""
    milliseconds = int(key.partition("_")[2][:12], 16)
    return timedelta(milliseconds=time.time_ns() // 1_000_000 - milliseconds)


def _is_replay(answer: Any) -> bool:
    """Whether Stripe repeated what it had answered before."""
    headers = getattr(answer, "headers", None) or {}
    return any(
        name.lower() == "idempotent-replayed" and value == "true" for name, value in headers.items()
    )
