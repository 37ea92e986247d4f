"""Who may call at a bad moment: the gateway with its news, and fifty clients with one key."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx

from payments.gateways.signatures import signed_header
from tests.chaos.house import WEBHOOK_SECRET
from tests.chaos.round import Round
from tests.chaos.seed import API_KEY, GATEWAY
from tests.chaos.traffic import Intent

SAME_KEY_REQUESTS = 50
SAME_KEY_ROUNDS_PER_SECOND = 2.5


def gateway_answers_twice(now: Round) -> None:
    """It tells by itself what it did: before we know, twice, and in any order."""
    over_at = time.monotonic() + now.seconds
    told: set[str] = set()
    while time.monotonic() < over_at:
        news = [
            message
            for intent in now.traffic.answered("payment")[-20:]
            for message in _news_of(intent)
            if intent.key not in told
        ]
        told |= {intent.key for intent in now.traffic.answered("payment")}
        news += news
        now.chance.shuffle(news)
        for message in news:
            _tell(now, message)
        time.sleep(0.1)


def _news_of(intent: Intent) -> list[dict[str, Any]]:
    """What the gateway would say of a payment that succeeds, and of its dispute."""
    said = intent.said
    if said["source"] not in ("tok_visa", "tok_timeout", "tok_error_once", "tok_dispute"):
        return []
    facts = [{"type": "payment.succeeded"}]
    if said["source"] == "tok_dispute":
        name = f"sdp_{said['id']}"
        facts += [{"type": f"dispute.{fact}", "dispute": name} for fact in ("open", "won")]
    about = {"payment": said["id"], "amount": said["amount"], "currency": said["currency"]}
    return [
        {"id": f"evt_{fact['type']}_{said['id']}", "created": int(time.time()), **about, **fact}
        for fact in facts
    ]


def _tell(now: Round, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    signed = signed_header(body, secret=WEBHOOK_SECRET, at=int(time.time()))
    url = f"{now.traffic.base_url}/api/v1/gateways/{GATEWAY}/events"
    headers = {"Simulator-Signature": signed, "Content-Type": "application/json"}
    with suppress(httpx.HTTPError):
        answer = httpx.post(url, content=body, headers=headers, timeout=10, trust_env=False)
        if answer.status_code != 200:
            now.traffic.note_wrong(f"event {message['id']}: {answer.status_code} {answer.text}")


def same_key_at_once(now: Round) -> None:
    """Fifty requests under one key at the same moment, again and again."""
    with ThreadPoolExecutor(SAME_KEY_REQUESTS) as crowd:
        for _ in range(int(SAME_KEY_ROUNDS_PER_SECOND * now.seconds)):
            _press_together(now, crowd)


def _press_together(now: Round, crowd: ThreadPoolExecutor) -> None:
    wish = {"amount": "12.34", "currency": "EUR", "source": "tok_visa"}
    intent = now.traffic.new_intent("payment", "/payments", wish)
    url = f"{now.traffic.base_url}/api/v1/payments"
    headers = {"Authorization": f"Bearer {API_KEY}", "Idempotency-Key": intent.key}
    barrier = threading.Barrier(SAME_KEY_REQUESTS)

    def press(_: int) -> httpx.Response:
        barrier.wait(30)
        return httpx.post(url, json=wish, headers=headers, timeout=30, trust_env=False)

    answers = list(crowd.map(press, range(SAME_KEY_REQUESTS)))
    bodies = {answer.content for answer in answers if answer.status_code == 202}
    others = {answer.status_code for answer in answers} - {202, 409}
    if len(bodies) != 1 or others:
        now.traffic.note_wrong(f"{intent.key}: {len(bodies)} answers and {others} to 50 requests")
    last = httpx.post(url, json=wish, headers=headers, timeout=30, trust_env=False)
    intent.status, intent.answer = last.status_code, last.content
    if bodies != {last.content} or last.headers.get("Idempotent-Replayed") != "true":
        now.traffic.note_wrong(f"{intent.key}: the 51st answer differs: {last.text}")
