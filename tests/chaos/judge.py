"""Judges a platform at a quiet point: by its own invariants, and by what its clients know."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg

from ledger.money import Money
from tests.chaos.house import House
from tests.chaos.traffic import Intent, Traffic

QUIET_WITHIN_SECONDS = 60
POLL_SECONDS = 0.2
# Whatever is still to be done, but for what waits for a person.
UNFINISHED = """
WITH parked AS (SELECT queue, row_id FROM payments_parkedwork WHERE resolved_at IS NULL)
SELECT 'payment ' || public_id || ' ' || status || ' holder ' || coalesce(holder::text, '-')
    || ' attempts ' || attempts || ' deaths ' || deaths
FROM payments_payment
WHERE (status IN ('PENDING', 'PROCESSING') OR amount_to_capture IS NOT NULL
       OR cancel_requested_at IS NOT NULL AND status = 'AUTHORIZED' OR holder IS NOT NULL)
    AND ('payments_payment', id) NOT IN (SELECT * FROM parked)
UNION ALL
SELECT 'refund ' || public_id || ' ' || status || ' deaths ' || deaths FROM payments_refund
WHERE (status IN ('PENDING', 'PROCESSING') OR holder IS NOT NULL)
    AND ('payments_refund', id) NOT IN (SELECT * FROM parked)
UNION ALL
SELECT 'transfer ' || public_id || ' ' || status || ' deaths ' || deaths FROM payments_transfer
WHERE (status IN ('ACCEPTED', 'PROCESSING') OR holder IS NOT NULL)
    AND ('payments_transfer', id) NOT IN (SELECT * FROM parked)
UNION ALL
SELECT 'gateway event ' || event_id || ' ' || status FROM payments_gatewayevent
WHERE (status = 'RECEIVED' OR holder IS NOT NULL)
    AND ('payments_gatewayevent', id) NOT IN (SELECT * FROM parked)
UNION ALL
SELECT 'delivery ' || public_id || ' tries ' || tries || ' attempts ' || attempts
    || ' deaths ' || deaths
FROM payments_webhookdelivery
WHERE (status = 'PENDING' OR holder IS NOT NULL)
    AND ('payments_webhookdelivery', id) NOT IN (SELECT * FROM parked)
LIMIT 20
"""
PARKED = "SELECT queue || ' ' || subject || ': ' || problem FROM payments_parkedwork"
TOLD = """
SELECT event.public_id FROM payments_event AS event
JOIN payments_webhookendpoint AS endpoint ON endpoint.merchant_id = event.merchant_id
WHERE event.created_at >= endpoint.created_at
"""
PAYMENTS = """
SELECT idempotency_key, public_id, amount, currency, source, capture, status, amount_captured,
    failure_code
FROM payments_payment WHERE starts_with(idempotency_key, %s)
"""
REFUNDS = """
SELECT refund.idempotency_key, refund.public_id, refund.amount, payment.public_id
FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = payment_id
"""
TRANSFERS = """
SELECT transfer.idempotency_key, transfer.public_id, transfer.amount, original.public_id
FROM payments_transfer AS transfer
LEFT JOIN payments_transfer AS original ON original.id = transfer.refund_of_id
"""
DECLINED = {
    "tok_declined": "card_declined",
    "tok_insufficient_funds": "insufficient_funds",
    "tok_expired_card": "expired_card",
}


def wait_for_quiet(house: House) -> tuple[float, list[str]]:
    """Seconds until the API was ready and all work done; and what was not within the bound."""
    began_at = time.monotonic()
    left = ["nobody looked"]
    while left and time.monotonic() < began_at + QUIET_WITHIN_SECONDS:
        left = _unfinished(house)
        if left:
            time.sleep(POLL_SECONDS)
    return time.monotonic() - began_at, [f"not done after healing: {each}" for each in left]


def _unfinished(house: House) -> list[str]:
    try:
        ready = httpx.get(f"http://127.0.0.1:{house.port}/api/v1/ready", trust_env=False, timeout=5)
        if ready.status_code != 200:
            return [f"/ready says {ready.text}"]
        return [text for (text,) in house.query(UNFINISHED)]
    except (httpx.HTTPError, psycopg.Error) as problem:
        return [f"{type(problem).__name__}: {problem}"]


def check_invariants(house: House) -> list[str]:
    """What `manage.py check_invariants --full` names as broken."""
    done = house.manage("check_invariants", "--full", "--json", "--skip-checks", check=False)
    if not done.stdout:
        return [f"check_invariants said nothing: {done.stderr[-500:]}"]
    found = [
        f"{invariant['name']}: {breach['subject']}: {breach['problem']}"
        for invariant in json.loads(done.stdout)["invariants"]
        for breach in invariant["breaches"]
    ]
    if bool(found) != bool(done.returncode):
        found.append(f"check_invariants ended with {done.returncode}: {done.stderr[-500:]}")
    return found


def check_house(house: House) -> list[str]:
    """Nobody died of himself, and nothing waits for a person."""
    parked = [f"parked: {text}" for (text,) in house.query(PARKED)]
    return [*house.unexpected_deaths(), *parked]


def check_clients(house: House, traffic: Traffic) -> list[str]:
    """What was acknowledged is there as it was; what was wanted once is there at most once.

    What was told has come to the merchant's own server, once or more often.
    """
    noted, traffic.wrong = traffic.wrong, []
    told = {public_id for (public_id,) in house.query(TOLD)}
    return [
        *noted,
        *_payment_problems(house, traffic),
        *_other_problems(house, traffic),
        *house.listener.problems(told),
    ]


def _payment_problems(house: House, traffic: Traffic) -> Iterator[str]:
    rows = {row[0]: row for row in house.query(PAYMENTS, [f"chaos{traffic.seed}x"])}
    wanted: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for intent in traffic.journal:
        if intent.status == 202 and intent.kind in ("payment", "authorisation"):
            wanted[intent.key] = intent.body, intent.said
        elif intent.status == 202 and intent.kind == "batch":
            results = intent.said["results"]
            for wish, result in zip(intent.body["payments"], results, strict=True):
                wanted[wish["idempotency_key"]] = wish, result["payment"]
    for key in rows.keys() - wanted.keys():
        yield f"payment {rows[key][1]} ({key}) is there, and nobody was told"
    ended = {
        intent.about: intent
        for intent in traffic.journal
        if intent.kind in ("capture", "cancel") and intent.status == 202
    }
    for key, (wish, said) in wanted.items():
        if key not in rows:
            yield f"payment {said['id']} ({key}) was acknowledged and is not there"
            continue
        _, public_id, amount, currency, source, capture, *became = rows[key]
        there = (public_id, Money(amount, currency).text, currency, source, capture)
        told = (said["id"], said["amount"], said["currency"], said["source"], said["capture"])
        asked = (wish["amount"], wish["currency"], wish["source"])
        if there != told or asked != told[1:4]:
            yield f"{key}: asked was {asked}, told was {told}, there is {there}"
        expected = _expected(wish, amount, ended.get(public_id))
        if tuple(became) not in expected:
            yield f"{public_id} ({source}) became {became}, it should be one of {expected}"


def _expected(wish: dict[str, Any], amount: int, end: Intent | None) -> list[tuple[str, int, str]]:
    """What a payment may have become: status, captured, failure code."""
    token = wish["source"]
    if token in DECLINED:
        return [("FAILED", 0, DECLINED[token])]
    if wish.get("capture") != "manual":
        return [("SUCCEEDED", amount, "")]
    if end is None:
        return [("AUTHORIZED", 0, "")]
    if end.kind == "cancel":
        return [("CANCELED", 0, "")]
    if token == "tok_capture_declined":
        return [("AUTHORIZED", 0, "capture_declined")]
    asked = end.body.get("amount")
    captured = Money.of(asked, wish["currency"]).amount if asked else amount
    return [("SUCCEEDED", captured, "")]


def _other_problems(house: House, traffic: Traffic) -> Iterator[str]:
    kinds = {"refund": REFUNDS, "transfer": TRANSFERS, "transfer_refund": TRANSFERS}
    for kind, statement in kinds.items():
        rows = {row[1]: row for row in house.query(statement)}
        told = {}
        for intent in traffic.journal:
            if intent.kind == kind and intent.status == 202:
                public_id = intent.said.get("id") or intent.said["transaction_id"]
                if public_id in told:
                    yield f"{public_id} was told to {intent.key} and {told[public_id].key}"
                told[public_id] = intent
        for public_id, intent in told.items():
            if public_id not in rows:
                yield f"{kind} {public_id} ({intent.key}) was acknowledged and is not there"
                continue
            key, _, amount, about = rows[public_id]
            asked = intent.body.get("transaction", intent.body).get("amount")
            currency = intent.said.get("currency", "USD")
            is_same = asked is None or Money.of(asked, currency).amount == amount
            if not is_same or (about or "") != intent.about:
                yield f"{kind} {public_id} ({key}) is {amount} of {about}, not {intent.body}"
        ours = {
            public_id
            for public_id, row in rows.items()
            if kind == "refund" or (row[3] is None) == (kind == "transfer")
        }
        for public_id in ours - told.keys():
            yield f"{kind} {public_id} is there, and nobody was told"
