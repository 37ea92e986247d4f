"""What Stripe's answers mean for money. Pure: objects and errors in, outcomes out.

Whatever does not say clearly that money moved or did not is Unanswered, and asked about again. An
object that contradicts what we asked for is Unanswered too, and said loudly: nothing is posted
until a person has looked.
"""

import logging
from datetime import UTC, datetime
from typing import Any

import stripe

from payments.gateways.base import (
    Accepted,
    Action,
    Declined,
    FailureCode,
    GatewayRequest,
    Outcome,
    Unanswered,
)
from payments.gateways.stripe_amounts import stripe_amount
from payments.gateways.stripe_events import KEY_NAME

logger = logging.getLogger(__name__)

REASON_LENGTH_MAX = 255

# https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes
_FAILURES = {
    FailureCode.INSUFFICIENT_FUNDS: "insufficient_funds",
    FailureCode.EXPIRED_CARD: "expired_card",
    FailureCode.INCORRECT_CARD_DATA: """
        incorrect_number invalid_number incorrect_cvc invalid_cvc invalid_expiry_month
        invalid_expiry_year incorrect_zip incorrect_address incorrect_pin invalid_pin
        invalid_account
    """,
    FailureCode.LOST_OR_STOLEN: "lost_card stolen_card pickup_card restricted_card",
    FailureCode.FRAUD_SUSPECTED: "fraudulent merchant_blacklist security_violation",
    FailureCode.LIMIT_EXCEEDED: """
        card_velocity_exceeded withdrawal_count_limit_exceeded amount_too_large amount_too_small
        card_decline_rate_limit_exceeded charge_exceeds_source_limit
        charge_exceeds_transaction_limit
    """,
    FailureCode.AUTHENTICATION_REQUIRED: "authentication_required authentication_not_handled",
    FailureCode.CURRENCY_NOT_SUPPORTED: "currency_not_supported",
    FailureCode.INVALID_SOURCE: """
        resource_missing token_already_used payment_method_invalid_parameter
    """,
    FailureCode.AUTHORIZATION_GONE: """
        charge_expired_for_capture capture_charge_authorization_expired
    """,
}
_FAILURE_OF = {theirs: ours for ours, codes in _FAILURES.items() for theirs in codes.split()}
_OTHERWISE = {
    Action.CAPTURE: FailureCode.CAPTURE_DECLINED,
    Action.REFUND: FailureCode.REFUND_DECLINED,
}
# The request was refused before it began, so it says nothing about an earlier one with its key.
_MALFORMED = "parameter_"


def outcome_of_refusal(request: GatewayRequest, error: stripe.StripeError) -> Outcome:
    """What an error says that answers the very request to do it: a refusal for certain, or nothing.

    An error of any other call, which only asks, never is a refusal.
    """
    match error:
        case stripe.CardError():
            return declined(request, error.error)
        case stripe.InvalidRequestError(code=str(code)) if not code.startswith(_MALFORMED):
            return declined(request, error.error)
        case _:
            return unanswered(request, error)


def unanswered(request: GatewayRequest, error: Exception) -> Unanswered:
    """Why nobody knows yet, for the log and the row."""
    match error:
        case stripe.RateLimitError():
            return Unanswered("rate_limited")
        case stripe.APIConnectionError():
            return Unanswered("no_connection")
        case stripe.InvalidRequestError() | stripe.IdempotencyError():
            # Ours to mend: no merchant's payment fails because of it.
            logger.error("stripe.request_refused: %s: %s", request.key, error)
            return Unanswered("request_refused")
        case stripe.AuthenticationError() | stripe.PermissionError():
            logger.error("stripe.key_refused: %s", request.key)
            return Unanswered("key_refused")
        case stripe.StripeError():
            return Unanswered(f"error_{error.http_status}" if error.http_status else "error")
        case _:
            logger.error("stripe.unreadable: %s", request.key, exc_info=error)
            return Unanswered("unreadable")


def declined(request: GatewayRequest, error: Any) -> Declined:
    """The refusal under a code of ours; `error` is Stripe's error object, if there is one."""
    theirs = [getattr(error, name, None) for name in ("decline_code", "code")]
    known = [_FAILURE_OF[code] for code in theirs if code in _FAILURE_OF]
    by_card = getattr(error, "type", None) == "card_error"
    otherwise = FailureCode.CARD_DECLINED if by_card else FailureCode.GATEWAY_REFUSED
    code = known[0] if known else _OTHERWISE.get(request.action, otherwise)
    if code == FailureCode.INVALID_SOURCE and request.action in _OTHERWISE:
        code = _OTHERWISE[request.action]  # what is missing is not the source
    reason = getattr(error, "message", None) or "Stripe declined without a reason."
    return Declined(code, reason[:REASON_LENGTH_MAX])


def outcome_of_intent(request: GatewayRequest, intent: Any) -> Outcome:
    """What a PaymentIntent we made says about the charge or authorisation it was made for."""
    wanted = stripe_amount(request.money)
    is_ours = key_of(intent) == request.key
    if not is_ours or intent.amount != wanted or intent.currency != request.money.currency.lower():
        return contradiction(request, intent)
    is_charge = request.action == Action.CHARGE
    match intent.status:
        case "succeeded" if is_charge and intent.amount_received == wanted:
            return Accepted(intent.id)
        case "requires_capture" if not is_charge and intent.amount_capturable == wanted:
            return Accepted(intent.id, _capture_before(intent))
        case "requires_payment_method":
            return declined(request, intent.last_payment_error)
        case "canceled":
            return Declined(FailureCode.GATEWAY_REFUSED, "The payment was canceled at Stripe.")
        case "processing" | "requires_action" | "requires_confirmation":
            return Unanswered(intent.status)
        case _:
            return contradiction(request, intent)


def outcome_of_authorisation(request: GatewayRequest, intent: Any) -> Outcome | None:
    """What became of a capture or cancellation; None: the authorisation is as it was."""
    is_capture = request.action == Action.CAPTURE
    if intent.currency != request.money.currency.lower():
        return contradiction(request, intent)
    match intent.status:
        case "requires_capture":
            return None
        case "succeeded" if not is_capture:
            return Declined(FailureCode.AUTHORIZATION_GONE, "It was captured already.")
        case "succeeded" if intent.amount_received == stripe_amount(request.money):
            return Accepted(intent.id)
        case "canceled" if not is_capture:
            return Accepted(intent.id)
        case "canceled":
            return Declined(FailureCode.AUTHORIZATION_GONE, "It ran out or was given back.")
        case "processing":
            return Unanswered(intent.status)
        case _:
            return contradiction(request, intent)


def outcome_of_refund(request: GatewayRequest, refund: Any) -> Outcome:
    """What a Refund we made says."""
    is_ours = key_of(refund) == request.key
    is_same = refund.amount == stripe_amount(request.money)
    if not is_ours or not is_same or refund.currency != request.money.currency.lower():
        return contradiction(request, refund)
    match refund.status:
        case "succeeded":
            return Accepted(refund.id)
        case "failed" | "canceled":
            reason = getattr(refund, "failure_reason", None) or refund.status
            return Declined(FailureCode.REFUND_DECLINED, f"Stripe says: {reason}.")
        case "pending" | "requires_action":
            return Unanswered(refund.status)
        case _:
            return contradiction(request, refund)


def contradiction(request: GatewayRequest, thing: Any) -> Unanswered:
    """Stripe's object is not what we asked for: somebody has to look."""
    logger.error(
        "stripe.contradiction: %s asked to %s %s; %s is %s, %s %s",
        request.key,
        request.action,
        request.money,
        thing.id,
        thing.status,
        thing.amount,
        thing.currency,
    )
    return Unanswered("contradiction")


def key_of(thing: Any) -> str:
    """Our key for what Stripe has; "" if it is not ours."""
    return str(getattr(getattr(thing, "metadata", None), KEY_NAME, ""))


def _capture_before(intent: Any) -> datetime | None:
    """Until when the payer's bank keeps the money, if the charge came along and says so."""
    found: Any = getattr(intent, "latest_charge", None)
    for name in ("payment_method_details", "card", "capture_before"):
        found = getattr(found, name, None)
    return datetime.fromtimestamp(found, UTC) if isinstance(found, int) else None
