"""Messages of gateways: who is believed, what is kept, who looks at it."""

import json
import logging
from typing import Any

import pytest
import stripe
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import AuditEvent, JournalEntry
from payments.models import Dispute, GatewayEvent, Merchant
from payments.services.gateway_events import process_gateway_events, settle_gateway_event
from tests.factories import (
    ACTOR,
    GatewayFactory,
    SucceededPaymentFactory,
)
from tests.support.api import assert_problem
from tests.support.gateway_events import hear, send, stripe_event
from tests.support.gateway_news import dispute_object, paid, refund_object
from tests.support.stripe_server import WEBHOOK_SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


# --- Who may tell us something, and what is kept -------------------------------------------


def test_signed_message_is_kept_as_it_came(shop: Merchant) -> None:
    body = stripe_event("payout.paid", {"id": "po_1"}, event_id="evt_1")

    response = send(body)

    assert (response.status_code, response.json()) == (200, {"received": True})
    event = GatewayEvent.objects.get()
    assert (event.event_id, event.kind, event.status) == ("evt_1", "payout.paid", "RECEIVED")
    assert bytes(event.body) == body
    assert event.gateway.code == "stripe"


def test_signature_of_stripes_own_library_is_right(shop: Merchant) -> None:
    body = stripe_event("payout.paid", {"id": "po_1"})
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)

    assert send(body, signature=header).status_code == 200


def test_one_right_signature_of_several_is_enough(shop: Merchant) -> None:
    body = stripe_event("payout.paid", {"id": "po_1"})
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)
    signed_at, right = header.split(",")

    assert send(body, signature=f"{signed_at},v1={'0' * 64},{right},v0=x").status_code == 200


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=1,v1=",
        "v1=abc",
        "t=,v1=abc",
        "t=99999999999999999999,v1=abc",
        "t=-1,v1=abc",
        "t=1_0,v1=abc",
        "t=١,v1=é",
        ",,,===",
    ],
)
def test_message_that_is_not_signed_is_refused(shop: Merchant, signature: str) -> None:
    response = send(stripe_event("payout.paid", {"id": "po_1"}), signature=signature)

    assert_problem(response, 403, "signature_refused")
    assert not GatewayEvent.objects.exists()


@pytest.mark.parametrize(
    "sender",
    [
        {"secret": "whsec_of_somebody_else"},
        {"seconds_ago": 310},
        {"seconds_ago": -310},
        {"header": "Simulator-Signature"},
    ],
)
def test_message_of_another_sender_or_time_is_refused(
    shop: Merchant, sender: dict[str, Any]
) -> None:
    response = send(stripe_event("payout.paid", {"id": "po_1"}), **sender)

    assert_problem(response, 403, "signature_refused")
    assert not GatewayEvent.objects.exists()


def test_message_changed_on_its_way_is_refused(shop: Merchant) -> None:
    body = stripe_event("payout.paid", {"id": "po_1"})
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), WEBHOOK_SECRET)

    assert_problem(send(body + b" ", signature=header), 403, "signature_refused")


def test_without_a_secret_of_ours_nothing_is_believed(
    shop: Merchant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("GATEWAY_STRIPE_WEBHOOK_SECRET")

    response = send(stripe_event("payout.paid", {"id": "po_1"}), secret="")

    assert_problem(response, 403, "signature_refused")
    assert "GATEWAY_STRIPE_WEBHOOK_SECRET" in caplog.text


@pytest.mark.parametrize("code", ["unheard-of", "paper"])
def test_gateway_that_sends_nothing_has_no_door(shop: Merchant, code: str) -> None:
    GatewayFactory(code="paper", adapter="none")

    assert_problem(send(b"{}", gateway=code), 404, "gateway_not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"id": 7, "type": "a"}',
        b'{"id": "evt_1"}',
        b'{"id": "evt\\u0000", "type": "a"}',
        b'{"id": "", "type": "a"}',
        b'{"id": "' + b"e" * 121 + b'", "type": "a"}',
        b"[" * 20_000,
    ],
)
def test_signed_nonsense_is_refused(shop: Merchant, body: bytes) -> None:
    assert_problem(send(body), 422, "gateway_event_invalid")


def test_message_sent_again_is_kept_and_acted_on_once(shop: Merchant) -> None:
    payment = paid(shop)
    body = stripe_event("charge.dispute.created", dispute_object(payment, "needs_response"))

    assert [send(body).status_code for _ in range(3)] == [200, 200, 200]
    assert process_gateway_events() == 1
    assert send(body).status_code == 200
    assert process_gateway_events() == 0
    assert Dispute.objects.count() == 1
    assert JournalEntry.objects.filter(kind="dispute").count() == 1


@pytest.mark.parametrize("kind", ["payout.paid", "payout.failed", "customer.created"])
def test_message_of_another_kind_is_kept_and_ignored(shop: Merchant, kind: str) -> None:
    event = hear(kind, {"id": "po_1"})

    assert (event.status, event.due_at) == ("IGNORED", None)
    assert event.result


def test_message_not_as_documented_is_for_a_person(
    shop: Merchant, caplog: pytest.LogCaptureFixture
) -> None:
    event = hear("payment_intent.succeeded", {"id": "pi_1", "metadata": {}})

    assert (event.status, event.result) == (
        "FAILED",
        "Not as documented: KeyError 'amount_received'.",
    )
    assert "gateway_event.failed" in caplog.text


# --- People, and the simulator -------------------------------------------------------------


def test_person_settles_what_was_for_a_person(shop: Merchant) -> None:
    event = hear("refund.created", refund_object(None, paid(shop)))

    settled = settle_gateway_event(event, actor=ACTOR, reason="Booked by hand.")

    assert settled.status == "PROCESSED"
    audited = AuditEvent.objects.get(action="gateway_event.settled")
    assert (audited.subject, audited.reason) == (f"stripe:{event.event_id}", "Booked by hand.")


def test_back_office_shows_the_message_and_settles_only_what_failed(
    shop: Merchant, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("root@example.com", password="root"))
    failed = hear("refund.created", refund_object(None, paid(shop)))
    ignored = hear("payout.paid", {"id": "po_1"})

    base = "/admin/payments/gatewayevent"
    pages = [
        client.get(f"{base}/{event.pk}/change/").content.decode() for event in (failed, ignored)
    ]
    assert ["/settle/" in pages[0], "/settle/" in pages[1]] == [True, False]
    assert "payment_intent" in pages[0]
    settled = client.post(f"{base}/{failed.pk}/settle/", {"reason": "Booked by hand."})
    assert settled.status_code == 302

    failed.refresh_from_db()
    assert failed.status == "PROCESSED"


def test_simulator_has_a_door_too(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GATEWAY_SIM_WEBHOOK_SECRET", "whsec_of_the_simulator")
    caplog.set_level(logging.INFO)
    payment = SucceededPaymentFactory()
    message = {
        "id": "evt_of_sim",
        "type": "dispute.open",
        "created": 1_772_366_400,
        "payment": payment.public_id,
        "dispute": "simdp_1",
        "amount": "100.00",
        "currency": "EUR",
    }

    response = send(
        json.dumps(message).encode(),
        gateway="sim",
        header="Simulator-Signature",
        secret="whsec_of_the_simulator",
    )
    process_gateway_events()

    assert response.status_code == 200
    assert Dispute.objects.get().reference == "simdp_1"
    assert "whsec_of_the_simulator" not in caplog.text
