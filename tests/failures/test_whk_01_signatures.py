"""WHK-01: what is sent is Standard Webhooks 1.0, by the judgement of the official library."""

import json
import re
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from config.embedded.places import CHECKOUT
from payments.models import WebhookAttempt
from payments.services.webhook_deliveries import deliver_webhooks
from payments.services.webhook_secrets import new_secret
from payments.webhook_calls import call
from payments.webhook_signing import signature, signed_headers
from tests.factories import MerchantFactory
from tests.support.receivers import deliveries, happen, listening, receiver
from tests.support.servers import Child, wait_for

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_whk_01_signature_is_that_of_the_published_example() -> None:
    made = signature(BODY, message_id=ID, at=1614265330, secret=SECRET)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("body", [b"", b"{}", '{"a":"ä€𝄞"}'.encode(), b"x" * 100_000])
def test_whk_01_library_signs_the_same(body: bytes) -> None:
    secret, at = new_secret(), datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)

    made = signature(body, message_id=ID, at=int(at.timestamp()), secret=secret)

    assert made == Webhook(secret).sign(ID, at, body.decode())


def test_whk_01_delivery_is_verified_by_the_library(db: None) -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        _, secret = listening(merchant, shop.url)
        (event,) = happen(merchant)
        assert deliver_webhooks() == 1

    (got,) = shop.received
    assert Webhook(secret).verify(got.body, got.headers) == {
        "id": event.public_id,
        "type": "payment.succeeded",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "merchant_id": merchant.public_id,
        "subject_id": event.subject,
        "sequence": 1,
        "data": json.loads(event.data),
    }
    assert got.headers["webhook-id"] == event.public_id
    assert got.headers["content-type"] == "application/json"
    assert got.headers["accept-encoding"] == "identity"
    assert got.body.endswith(f'"data":{event.data}}}'.encode())


def test_whk_01_receiver_of_the_readme_takes_it_and_refuses_others(
    db: None, tmp_path: Path
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    (program,) = [block for block in blocks if "standardwebhooks" in block]
    assert len(program.splitlines()) <= 18
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    endpoint, secret = listening(MerchantFactory(), url)
    other, _ = listening(endpoint.merchant, url)
    (event,) = happen(endpoint.merchant)
    shop = Child([sys.executable, "-c", program], tmp_path, WEBHOOK_SECRET=secret, PORT=str(port))
    try:
        wait_for(lambda: call(url, headers={}, body=b"{}").status_code == 400)
        deliver_webhooks()
        assert shop.lines() == [f"{event.public_id} payment.succeeded {event.subject}"]
    finally:
        shop.kill_group()

    assert deliveries(endpoint, status="DELIVERED") == 1
    (refused,) = WebhookAttempt.objects.filter(delivery__endpoint=other)
    assert refused.status_code == 400


@pytest.mark.parametrize("seconds", [-301, 301])
def test_whk_01_old_and_early_messages_are_refused(seconds: int) -> None:
    headers = signed_headers(BODY, message_id=ID, at=int(time.time()) + seconds, secrets=[SECRET])

    with pytest.raises(WebhookVerificationError, match="timestamp too"):
        Webhook(SECRET).verify(BODY, headers)


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b" ", BODY.replace(b"2", b"3", 1)])
def test_whk_01_other_bodies_are_refused(body: bytes) -> None:
    headers = signed_headers(BODY, message_id=ID, at=int(time.time()), secrets=[SECRET])

    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        Webhook(SECRET).verify(body, headers)


def test_whk_01_other_secrets_and_ids_are_refused() -> None:
    headers = signed_headers(BODY, message_id=ID, at=int(time.time()), secrets=[SECRET])

    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers | {"webhook-id": "msg_other"})


def test_whk_01_every_attempt_sends_the_same_bytes_under_the_same_id(db: None) -> None:
    merchant = MerchantFactory()
    with receiver() as shop, receiver() as other:
        _, secret = listening(merchant, shop.url)
        _, other_secret = listening(merchant, other.url)
        (event,) = happen(merchant)
        deliver_webhooks()
        event.deliveries.update(status="PENDING", due_at=event.created_at - timedelta(days=1))
        deliver_webhooks()

    sent = [*shop.received, *other.received]
    assert len(sent) == 4
    assert {each.body for each in sent} == {sent[0].body}
    assert {each.headers["webhook-id"] for each in sent} == {event.public_id}
    for each in shop.received:
        Webhook(secret).verify(each.body, each.headers)
    for each in other.received:
        Webhook(other_secret).verify(each.body, each.headers)
