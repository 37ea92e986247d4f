"""What may come out of a broker: bells too often and in any order, and things that are none."""

import base64
import json

from celery import Celery

from tests.chaos.round import Round

KINDS = [
    "payments.tasks.process_payments",
    "payments.tasks.process_refunds",
    "payments.tasks.process_transfers",
    "payments.tasks.process_gateway_events",
    "payments.tasks.deliver_webhooks",
    "payments.tasks.sweep",
    "ledger.tasks.seal_ledger",
]
DELIVERIES = 5
ENVELOPE = {
    "body": base64.b64encode(b"[[], {}, {}]").decode(),
    "content-encoding": "utf-8",
    "content-type": "application/json",
    "headers": {"task": KINDS[0], "id": "x", "lang": "py", "argsrepr": "()", "kwargsrepr": "{}"},
    "properties": {
        "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": "celery"},
        "delivery_tag": "x",
        "correlation_id": "x",
    },
}
GARBAGE = [
    b"",
    b"garbage",
    b"{}",
    b"[1, 2]",
    b'{"body": "!", "headers": {}, "properties": {}}',
    *(
        json.dumps(ENVELOPE | wrong).encode()
        for wrong in (
            {"body": base64.b64encode(b"no json").decode()},
            {"body": base64.b64encode(b'[[1, 2, 3], {"x": 1}, {}]').decode()},
            {"content-type": "application/x-python-serialize"},
            {"headers": {"task": "payments.tasks.nobody_knows_it", "id": "x", "lang": "py"}},
        )
    ),
]


def messages_repeated(now: Round) -> None:
    """Every bell is heard five times, in any order; some are of tasks nobody knows."""
    with Celery(broker=now.house.broker_url, set_as_current=False).connection() as connection:
        bells = Celery(broker=now.house.broker_url, set_as_current=False)
        for _ in range(4):
            rings = [kind for kind in KINDS for _ in range(DELIVERIES)]
            rings += ["payments.tasks.of_another_version"] * 2
            now.chance.shuffle(rings)
            for kind in rings:
                bells.send_task(kind, connection=connection, ignore_result=True)
            now.pass_time(0.25)


def messages_are_garbage(now: Round) -> None:
    garbage = list(GARBAGE)
    now.chance.shuffle(garbage)
    for text in garbage:
        now.house.redis().lpush("celery", text)
        now.pass_time(1 / len(garbage))
