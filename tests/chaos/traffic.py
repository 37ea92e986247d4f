"""Merchants who keep asking until they are answered, and write down what they asked and heard."""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from ledger.money import Money
from tests.chaos.seed import API_KEY, CURRENCIES, WALLETS

SENDERS = 6
PAUSE_SECONDS = (0.05, 0.35)  # between two requests of one sender
RETRY_SECONDS = 0.25
TIMEOUT = httpx.Timeout(10, connect=5)
REPLAY_ONE_IN = 6
TOKENS = {
    "tok_visa": 50,
    "tok_mastercard": 20,
    "tok_error_once": 8,
    "tok_timeout": 6,
    "tok_dispute": 4,
    "tok_refund_declined": 4,
    "tok_capture_declined": 3,
    "tok_declined": 5,
    "tok_insufficient_funds": 4,
    "tok_expired_card": 2,
}
WISHES = {
    "payment": 45,
    "authorisation": 12,
    "batch": 6,
    "refund": 12,
    "capture": 8,
    "cancel": 3,
    "transfer": 12,
    "transfer_refund": 4,
}
# What can be asked for when it is too late, or was asked for before.
MAY_BE_REFUSED = {"refund", "capture", "cancel", "transfer_refund"}


@dataclass
class Intent:
    """One thing a client wants, under one key, and all it heard of it."""

    kind: str
    path: str
    key: str
    body: dict[str, Any]
    about: str = ""  # the id of what it is about
    status: int = 0  # of the answer that says what became of it; 0: none yet
    answer: bytes = b""
    tries: int = 0
    heard: Counter[str] = field(default_factory=Counter)

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.answer))


class Traffic:
    """Senders on threads of their own, chosen by the seed, until `stop`."""

    def __init__(self, base_url: str, *, seed: int, senders: int = SENDERS) -> None:
        self.base_url = base_url
        self.seed = seed
        self.numbers: Iterator[int] = itertools.count(1)
        self.journal: list[Intent] = []
        self.wrong: list[str] = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.giving_up = threading.Event()
        self.senders = senders
        self.threads: list[threading.Thread] = []
        self.rounds = 0

    def start(self) -> None:
        self.stopping.clear()
        self.giving_up.clear()
        self.rounds += 1
        self.threads = [
            threading.Thread(target=self._send_on, args=[number], daemon=True)
            for number in range(self.senders)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self, *, seconds: float) -> None:
        """Every intent is answered, or was not in this time, which is noted as wrong."""
        self.stopping.set()
        give_up_at = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0, give_up_at - time.monotonic()))
        self.giving_up.set()
        for thread in self.threads:
            thread.join(TIMEOUT.read)
        self.wrong += [
            f"{intent.kind} {intent.key} had no answer in {intent.tries} tries: {intent.heard}"
            for intent in self.journal
            if not intent.status
        ]

    def _send_on(self, number: int) -> None:
        sender = Sender(self, random.Random(f"{self.seed} {self.rounds} {number}"))
        with sender.client:
            while not self.stopping.is_set():
                sender.do_something()
                self.stopping.wait(sender.chance.uniform(*PAUSE_SECONDS))

    def note_wrong(self, problem: str) -> None:
        with self.lock:
            self.wrong.append(problem)

    def new_intent(self, kind: str, path: str, body: dict[str, Any], about: str = "") -> Intent:
        with self.lock:
            key = f"chaos{self.seed}x{next(self.numbers)}"  # nothing like a card number
            self.journal.append(Intent(kind, path, key, body, about))
            return self.journal[-1]

    def answered(self, *kinds: str) -> list[Intent]:
        with self.lock:
            return [each for each in self.journal if each.kind in kinds and each.status == 202]


class Sender:
    """One client: it keeps asking under the same key until it is told what became of it."""

    def __init__(self, traffic: Traffic, chance: random.Random) -> None:
        self.traffic, self.chance = traffic, chance
        headers = {"Authorization": f"Bearer {API_KEY}"}
        self.client = httpx.Client(
            base_url=f"{traffic.base_url}/api/v1", timeout=TIMEOUT, trust_env=False, headers=headers
        )

    def do_something(self) -> None:
        (kind,) = self.chance.choices(list(WISHES), weights=list(WISHES.values()))
        ask: Callable[[], Intent | None] = getattr(self, f"_{kind}")
        intent = ask()
        if intent is None:
            return
        self.insist(intent)
        if intent.status == 202 and self.chance.randrange(REPLAY_ONE_IN) == 0:
            self.check_replay(intent)

    def insist(self, intent: Intent) -> None:
        """Ask until the answer says what became of it, or the time is over."""
        while not self.traffic.giving_up.is_set():
            answer = self._ask(intent)
            if answer is not None and self._is_definite(intent, answer):
                intent.answer, intent.status = answer.content, answer.status_code
                if answer.status_code != 202 and intent.kind not in MAY_BE_REFUSED:
                    self.traffic.note_wrong(f"{intent.key}: {answer.status_code} {answer.text}")
                return
            time.sleep(RETRY_SECONDS)

    def check_replay(self, intent: Intent) -> None:
        """Asked again, the same bytes come back, and say that they are a replay."""
        answer = self._ask(intent)
        if answer is None or not self._is_definite(intent, answer) or intent.kind == "batch":
            return
        is_same = (answer.status_code, answer.content) == (intent.status, intent.answer)
        if not is_same or answer.headers.get("Idempotent-Replayed") != "true":
            self.traffic.note_wrong(f"{intent.key}: the replay differs: {answer.text}")

    def _ask(self, intent: Intent) -> httpx.Response | None:
        """The answer, if one came."""
        intent.tries += 1
        headers = {} if intent.kind == "batch" else {"Idempotency-Key": intent.key}
        try:
            answer = self.client.post(intent.path, json=intent.body, headers=headers)
        except httpx.HTTPError as problem:
            intent.heard[type(problem).__name__] += 1
            return None
        intent.heard[str(answer.status_code)] += 1
        self._check_shape(intent, answer)
        return answer

    def _check_shape(self, intent: Intent, answer: httpx.Response) -> None:
        status = answer.status_code
        if status >= 500 and (status != 503 or "Retry-After" not in answer.headers):
            self.traffic.note_wrong(f"{intent.kind} {intent.key}: {status} {answer.text[:300]}")
        if status >= 400 and answer.headers["Content-Type"] != "application/problem+json":
            self.traffic.note_wrong(f"{intent.key}: {status} {answer.headers['Content-Type']}")
        if "Traceback" in answer.text:
            self.traffic.note_wrong(f"{intent.key}: a trace was shown: {answer.text[:300]}")

    def _is_definite(self, intent: Intent, answer: httpx.Response) -> bool:
        """Whether it says what became of the intent; otherwise it is asked for again."""
        if answer.status_code != 202:
            is_in_flight = answer.status_code == 409 and "request_in_flight" in answer.text
            return answer.status_code < 500 and answer.status_code != 429 and not is_in_flight
        if intent.kind != "batch":
            return True
        return all(each["status"] == 202 for each in answer.json()["results"])

    def _get(self, path: str) -> dict[str, Any] | None:
        try:
            answer = self.client.get(path)
        except httpx.HTTPError:
            return None
        return dict(answer.json()) if answer.status_code == 200 else None

    # --- what a merchant wants ---------------------------------------------------------------

    def _wish(self, **more: Any) -> dict[str, Any]:
        currency = self.chance.choice(CURRENCIES)
        (token,) = self.chance.choices(list(TOKENS), weights=list(TOKENS.values()))
        amount = Money(self.chance.randint(100, 50_000), currency).text
        return {"amount": amount, "currency": currency, "source": token, **more}

    def _payment(self) -> Intent:
        return self.traffic.new_intent("payment", "/payments", self._wish())

    def _authorisation(self) -> Intent:
        return self.traffic.new_intent("authorisation", "/payments", self._wish(capture="manual"))

    def _batch(self) -> Intent:
        intent = self.traffic.new_intent("batch", "/payments/batch", {})
        intent.body["payments"] = [
            self._wish(idempotency_key=f"{intent.key}i{n}")
            for n in range(self.chance.randint(2, 20))
        ]
        return intent

    def _one_of(self, kind: str, path: str, status: str) -> dict[str, Any] | None:
        """Something of this kind that was accepted lately, if it has this status by now."""
        candidates = self.traffic.answered(kind)[-200:]
        if not candidates:
            return None
        said = self.chance.choice(candidates).said
        found = self._get(f"{path}/{said.get('id') or said['transaction_id']}")
        return found if found and found["status"] == status else None

    def _refund(self) -> Intent | None:
        payment = self._one_of("payment", "/payments", "SUCCEEDED")
        if payment is None:
            return None
        body = {"amount": self._part_of(payment)} if self.chance.random() < 0.7 else {}
        path = f"/payments/{payment['id']}/refunds"
        return self.traffic.new_intent("refund", path, body, payment["id"])

    def _capture(self) -> Intent | None:
        payment = self._one_of("authorisation", "/payments", "AUTHORIZED")
        if payment is None:
            return None
        body = {"amount": self._part_of(payment)} if self.chance.random() < 0.5 else {}
        path = f"/payments/{payment['id']}/capture"
        return self.traffic.new_intent("capture", path, body, payment["id"])

    def _cancel(self) -> Intent | None:
        payment = self._one_of("authorisation", "/payments", "AUTHORIZED")
        if payment is None:
            return None
        path = f"/payments/{payment['id']}/cancel"
        return self.traffic.new_intent("cancel", path, {}, payment["id"])

    def _transfer(self) -> Intent:
        source, target = self.chance.sample(WALLETS, 2)
        amount = Money(self.chance.randint(1, 5_000), "USD").text
        wish = {"source_account_id": source, "destination_account_id": target, "amount": amount}
        return self.traffic.new_intent("transfer", "/transactions", {"transaction": wish})

    def _transfer_refund(self) -> Intent | None:
        transfer = self._one_of("transfer", "/transactions", "COMPLETED")
        if transfer is None:
            return None
        path = f"/transactions/{transfer['id']}/refund"
        body = {"amount": self._part_of(transfer)}
        return self.traffic.new_intent("transfer_refund", path, body, transfer["id"])

    def _part_of(self, thing: dict[str, Any]) -> str:
        whole = Money.of(thing["amount"], thing["currency"])
        return Money(self.chance.randint(1, whole.amount), whole.currency).text
