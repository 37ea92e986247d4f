"""The demo's merchants at work: payments and refunds over HTTP, one in ten sent twice."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from config.demo.seed import MARKETS
from ledger.money import Money

SENDERS = 8
FINAL = {"SUCCEEDED", "FAILED"}
SETTLES_WITHIN_SECONDS = 60
REFUND_ONE_IN = 15
# Unhappy tokens and how often each occurs; all others pay with a card that works.
UNHAPPY = {
    "tok_insufficient_funds": 4,
    "tok_declined": 2,
    "tok_timeout": 1,
    "tok_error_once": 1,
    "tok_dispute": 1,
}

Progress = Callable[[str, int, int], None]


class TrafficError(Exception):
    """The platform did not answer as it promises."""


@dataclass(frozen=True, slots=True)
class Order:
    """One POST to send: where, with which key and body."""

    merchant: str
    path: str
    idempotency_key: str
    body: dict[str, Any]
    is_sent_twice: bool


@dataclass(slots=True)
class Sent:
    """What was sent and what the platform made of it, by public id."""

    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    replays: int = 0


class Traffic:
    """Sends the orders of a day, chosen by a seed, to the server at `base_url`."""

    def __init__(self, base_url: str, keys: dict[str, str], seed: int, progress: Progress) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=30, trust_env=False)
        self.keys = keys
        self.chance = random.Random(seed)
        self.day_name = f"{time.time_ns():x}"
        self.progress = progress
        self.sent = Sent()

    def run(self, payments: int) -> Sent:
        """Send payments, wait for them, refund some, wait for those. Raises TrafficError."""
        with self.client:
            orders = self._payment_orders(payments)
            self.sent.payments = self._send("payments sent", orders)
            self.sent.payments = self._await("payments processed", "payments", self.sent.payments)
            refunds = self._refund_orders()
            self.sent.refunds = self._send("refunds sent", refunds)
            self.sent.refunds = self._await("refunds processed", "refunds", self.sent.refunds)
        return self.sent

    def _payment_orders(self, count: int) -> list[Order]:
        tokens = [token for token, often in UNHAPPY.items() for _ in range(often)]
        tokens += self.chance.choices(("tok_visa", "tok_mastercard"), k=count - len(tokens))
        self.chance.shuffle(tokens)
        orders = []
        for number, token in enumerate(tokens):
            merchant, currency = MARKETS[number % len(MARKETS)]
            minor = self.chance.randint(500, 25_000)
            orders.append(
                Order(
                    merchant=merchant,
                    path="payments",
                    idempotency_key=f"demo-{self.day_name}-{number}",
                    body={
                        "amount": Money(minor, currency).text,
                        "currency": currency,
                        "source": token,
                        "description": f"Order #{number + 1}",
                    },
                    is_sent_twice=number % 10 == 0,
                )
            )
        return orders

    def _refund_orders(self) -> list[Order]:
        """Give back half of every fifteenth payment that can be refunded."""
        paid = [
            payment
            for payment in self.sent.payments.values()
            if payment["status"] == "SUCCEEDED" and payment["source"] != "tok_dispute"
        ]
        return [
            Order(
                merchant=payment["merchant"],
                path=f"payments/{payment['id']}/refunds",
                idempotency_key=f"demo-refund-{payment['id']}",
                body={"amount": _half(payment), "reason": "Returned by the customer"},
                is_sent_twice=number % 10 == 0,
            )
            for number, payment in enumerate(paid[::REFUND_ONE_IN])
        ]

    def _send(self, label: str, orders: Sequence[Order]) -> dict[str, dict[str, Any]]:
        answers: dict[str, dict[str, Any]] = {}
        with ThreadPoolExecutor(SENDERS) as senders:
            for done, answer in enumerate(senders.map(self._send_one, orders), start=1):
                answers[answer["id"]] = answer
                self.progress(label, done, len(orders))
        if len(answers) != len(orders):
            raise TrafficError(f"{len(orders)} requests made {len(answers)} objects")
        return answers

    def _send_one(self, order: Order) -> dict[str, Any]:
        first = self._post(order)
        if order.is_sent_twice:
            again = self._post(order)
            if again["id"] != first["id"]:
                raise TrafficError(f"the retry of {order.idempotency_key} made another object")
            self.sent.replays += 1
        return {**first, "merchant": order.merchant}

    def _post(self, order: Order) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self.keys[order.merchant]}",
            "Idempotency-Key": order.idempotency_key,
        }
        answer = self.client.post(f"/api/v1/{order.path}", json=order.body, headers=headers)
        if answer.status_code != 202:
            raise TrafficError(f"POST {order.path}: {answer.status_code} {answer.text[:300]}")
        body: dict[str, Any] = answer.json()
        return body

    def _await(
        self, label: str, path: str, objects: dict[str, dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """Ask for each object until it is final."""
        give_up_at = time.monotonic() + SETTLES_WITHIN_SECONDS
        final: dict[str, dict[str, Any]] = {}
        with ThreadPoolExecutor(SENDERS) as askers:
            while len(final) < len(objects):
                if time.monotonic() > give_up_at:
                    raise TrafficError(f"{len(objects) - len(final)} {path} are not final")
                waiting = [known for id_, known in objects.items() if id_ not in final]
                for state in askers.map(lambda known: self._get(path, known), waiting):
                    if state["status"] in FINAL:
                        final[state["id"]] = state
                self.progress(label, len(final), len(objects))
                time.sleep(0.2)
        return final

    def _get(self, path: str, known: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.keys[known['merchant']]}"}
        answer = self.client.get(f"/api/v1/{path}/{known['id']}", headers=headers)
        if answer.status_code != 200:
            raise TrafficError(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return {**answer.json(), "merchant": known["merchant"]}


def _half(payment: dict[str, Any]) -> str:
    money = Money.of(payment["amount"], payment["currency"])
    return Money(money.amount // 2, money.currency).text


def count_by(objects: Iterable[dict[str, Any]], name: str) -> dict[str, int]:
    """How many objects have each value of a field."""
    counts: dict[str, int] = {}
    for item in objects:
        counts[item[name]] = counts.get(item[name], 0) + 1
    return counts
