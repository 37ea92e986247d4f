"""An account at Stripe as https://docs.stripe.com/api documents it: PaymentIntents and Refunds.

What a key was answered is kept and repeated, https://docs.stripe.com/api/idempotent_requests.
"""

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# https://docs.stripe.com/testing: what these cards are answered.
DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "pm_card_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_radarBlock": ("card_declined", "fraudulent"),
    "pm_card_authenticationRequired": ("card_declined", "authentication_required"),
    "pm_card_velocityLimitExceeded": ("card_declined", "card_velocity_exceeded"),
}
ACCEPTED = {"pm_card_visa", "pm_processing"}

Answer = tuple[int, dict[str, Any]]


@dataclass
class StripeAccount:
    """What the server knows; `trouble` is what goes wrong with the next POST."""

    base: str = ""
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[Any, int, dict[str, Any]]] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # "POST /v1/refunds"
    keys: list[str] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)  # made to every object that is answered
    searchable: bool = True
    at_once: int = 0
    at_once_max: int = 0
    pause_seconds: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def charged(self, source: str = "pm_card_visa") -> dict[str, Any]:
        """The only PaymentIntent there is."""
        (intent,) = self.intents.values()
        assert intent["payment_method"] == source
        return intent

    def forget_keys(self) -> None:
        """A day has passed."""
        self.answers.clear()

    def post(
        self, path: list[str], form: dict[str, Any], key: str, trouble: str
    ) -> tuple[int, Any, bool]:
        """The answer, and whether it is a repeated one."""
        if key and key in self.answers:
            asked, status, body = self.answers[key]
            if asked != (path, form):
                return 400, problem("idempotency_error", None, "Keys are for one request."), False
            return status, body, True
        status, body = self._carry_out(path, form)
        if trouble == "500_kept":
            status, body = 500, problem("api_error", None, "Something went wrong.")
        body = json.loads(json.dumps(body))  # as it was then
        if key and not str(body.get("error", {}).get("code")).startswith("parameter_"):
            self.answers[key] = ((path, form), status, body)
        return status, body, False

    def _carry_out(self, path: list[str], form: dict[str, Any]) -> Answer:
        match path:
            case ["payment_intents"]:
                return self._create_intent(form)
            case ["payment_intents", name, "capture"]:
                return self._capture(self.intents[name], int(form["amount_to_capture"]))
            case ["payment_intents", name, "cancel"]:
                return self._cancel(self.intents[name])
            case ["refunds"]:
                return self._refund(form)
        return 404, problem("invalid_request_error", None, "Unrecognized request URL.")

    def _create_intent(self, form: dict[str, Any]) -> Answer:
        source, amount = form["payment_method"], int(form["amount"])
        if form.get("confirm") != "true" or form.get("error_on_requires_action") != "true":
            text = "This server only confirms at once."
            return 400, problem("invalid_request_error", "parameter_missing", text)
        if amount > 99_999_999:
            text = "Amount must be no more than 999,999.99."
            return 400, problem("invalid_request_error", "amount_too_large", text)
        if source not in DECLINES and source not in ACCEPTED:
            text = f"No such PaymentMethod: '{source}'"
            return 404, problem("invalid_request_error", "resource_missing", text, "payment_method")
        intent = {
            "id": f"pi_{next(self.ids):06d}",
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "amount_capturable": 0,
            "currency": form["currency"],
            "payment_method": source,
            "capture_method": form["capture_method"],
            "metadata": form["metadata"],
            "status": "requires_payment_method",
            "last_payment_error": None,
            "cancellation_reason": None,
            "latest_charge": None,
        }
        self.intents[intent["id"]] = intent
        if source in DECLINES:
            code, decline_code = DECLINES[source]
            error = problem("card_error", code, "Your card was declined.")["error"]
            intent["last_payment_error"] = error | ({"decline_code": decline_code})
            return 402, {"error": intent["last_payment_error"] | {"payment_intent": dict(intent)}}
        if source == "pm_processing":
            intent["status"] = "processing"
        elif form["capture_method"] == "manual":
            card = {"capture_before": 1_900_000_000}
            details = {"type": "card", "card": card}
            intent["latest_charge"] = {
                "id": intent["id"].replace("pi_", "ch_"),
                "object": "charge",
                "payment_method_details": details,
            }
            intent |= {"status": "requires_capture", "amount_capturable": amount}
        else:
            intent |= {"status": "succeeded", "amount_received": amount}
        return 200, intent

    def _capture(self, intent: dict[str, Any], amount: int) -> Answer:
        if intent["status"] != "requires_capture":
            return 400, unexpected_state(intent)
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        return 200, intent

    def _cancel(self, intent: dict[str, Any]) -> Answer:
        if intent["status"] not in ("requires_capture", "requires_payment_method"):
            return 400, unexpected_state(intent)
        intent |= {"status": "canceled", "amount_capturable": 0}
        return 200, intent

    def _refund(self, form: dict[str, Any]) -> Answer:
        intent, amount = self.intents[form["payment_intent"]], int(form["amount"])
        gone = sum(
            refund["amount"]
            for refund in self.refunds.values()
            if refund["payment_intent"] == intent["id"]
        )
        if gone + amount > intent["amount_received"]:
            text = "The charge has already been refunded."
            return 400, problem("invalid_request_error", "charge_already_refunded", text)
        refund = {
            "id": f"re_{next(self.ids):06d}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "metadata": form["metadata"],
            "status": "succeeded",
        }
        self.refunds[refund["id"]] = refund
        return 200, refund

    def get(self, path: list[str], query: dict[str, Any]) -> Answer:
        match path:
            case ["payment_intents", "search"]:
                wanted = query["query"].split("'")[3]
                found = [
                    intent
                    for intent in self.intents.values()
                    if self.searchable and intent["metadata"].get("tieout_key") == wanted
                ]
                return 200, {"object": "search_result", "data": found, "has_more": False}
            case ["payment_intents", name] if name in self.intents:
                return 200, self.intents[name]
            case ["refunds"]:
                found = [
                    refund
                    for refund in self.refunds.values()
                    if refund["payment_intent"] == query["payment_intent"]
                ]
                return 200, {
                    "object": "list",
                    "url": "/v1/refunds",
                    "data": found,
                    "has_more": False,
                }
            case ["refunds", name] if name in self.refunds:
                return 200, self.refunds[name]
        return 404, problem("invalid_request_error", "resource_missing", "No such thing.")


def problem(kind: str, code: str | None, message: str, param: str | None = None) -> dict[str, Any]:
    error = {"type": kind, "message": message}
    return {"error": error | {name: v for name, v in (("code", code), ("param", param)) if v}}


def unexpected_state(intent: dict[str, Any]) -> dict[str, Any]:
    return problem(
        "invalid_request_error",
        "payment_intent_unexpected_state",
        f"This PaymentIntent has a status of {intent['status']}.",
    )
