"""What gateways tell us: who may, what is kept, and what our rows make of it."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
import stripe
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from ledger.models import AuditEvent, JournalEntry
from ledger.services.posting import post_entry
from payments.bookkeeping import entry_for_dispute_opened
from payments.models import Dispute, GatewayEvent, Merchant, Payment, Refund
from payments.services.disputes import DisputeNotice, record_disputes
from payments.services.gateway_events import process_gateway_events, settle_gateway_event
from payments.services.gateways import choose_gateway
from payments.services.processing import process_payments, process_refunds
from tests.factories import (
    ACTOR,
    GatewayFactory,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import assert_problem
from tests.support.books import t_accounts
from tests.support.gateway_events import act, hear, send, stripe_event
from tests.support.stripe_account import StripeAccount
from tests.support.stripe_server import WEBHOOK_SECRET

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def shop(stripe_server: StripeAccount) -> Merchant:
    """Its payments go through Stripe."""
    merchant = MerchantFactory(code="shop")
    GatewayFactory(code="stripe", adapter="stripe")
    choose_gateway(merchant, "stripe")
    return merchant


def paid(shop: Merchant) -> Payment:
    """100.00 EUR that Stripe took and we know of."""
    payment: Payment = SucceededPaymentFactory(
        merchant=shop, money=eur("100.00"), source="pm_card_visa"
    )
    return payment


def later(row: Payment | Refund) -> None:
    """The row waits for its next attempt, beyond any lease."""
    due_at = timezone.now() + timedelta(minutes=10)
    type(row)._default_manager.filter(pk=row.pk).update(due_at=due_at)


def refund_object(refund: Refund | None, payment: Payment, **fields: Any) -> dict[str, Any]:
    return {
        "id": "re_000002",
        "amount": 40_00,
        "currency": "eur",
        "payment_intent": payment.gateway_reference,
        "status": "succeeded",
        "metadata": {"tieout_key": refund.public_id} if refund else {},
        **fields,
    }


def dispute_object(payment: Payment, status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "du_000009",
        "amount": 100_00,
        "currency": "eur",
        "payment_intent": payment.gateway_reference,
        "status": status,
        "created": 1_772_366_400,
        "metadata": {},
        **fields,
    }


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


# --- Payments ------------------------------------------------------------------------------


def test_news_makes_a_waiting_payment_be_asked_about(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_processing")
    process_payments()
    later(payment)
    intent = stripe_server.charged("pm_processing")
    intent.update(status="succeeded", amount_received=intent["amount"])

    event = hear("payment_intent.succeeded", intent)
    assert (event.status, JournalEntry.objects.count()) == ("RECEIVED", 0)
    process_payments()

    payment.refresh_from_db()
    assert payment.status == "SUCCEEDED"
    assert JournalEntry.objects.count() == 1
    assert act(event).status == "PROCESSED"


def test_news_leaves_a_payment_alone_that_a_worker_holds(shop: Merchant) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_card_visa")
    leased = timezone.now() + timedelta(seconds=59)
    Payment.objects.filter(pk=payment.pk).update(
        status="PROCESSING", due_at=leased, holder=7, leased_until=leased
    )

    event = hear(
        "payment_intent.succeeded",
        {
            "id": "pi_000001",
            "amount_received": 100_00,
            "currency": "eur",
            "metadata": {"tieout_key": payment.public_id},
        },
    )

    payment.refresh_from_db()
    assert (event.status, payment.due_at) == ("RECEIVED", leased)


def test_lie_about_success_books_nothing(stripe_server: StripeAccount, shop: Merchant) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_processing")
    process_payments()
    intent = stripe_server.charged("pm_processing")

    event = hear("payment_intent.succeeded", intent | {"amount_received": 100_00})
    later(payment)
    act(event)
    process_payments()

    payment.refresh_from_db()
    assert (payment.status, JournalEntry.objects.count()) == ("PROCESSING", 0)
    assert act(event).status == "RECEIVED"


@pytest.mark.parametrize(
    ("kind", "fields", "status", "result"),
    [
        ("payment_intent.succeeded", {}, "PROCESSED", "Our row says the same."),
        (
            "payment_intent.amount_capturable_updated",
            {"amount_capturable": 100_00},
            "PROCESSED",
            "",
        ),
        (
            "payment_intent.succeeded",
            {"amount_received": 100_01},
            "FAILED",
            "100.01 EUR at the gateway, 100.00 EUR in {payment}.",
        ),
        (
            "payment_intent.succeeded",
            {"currency": "usd"},
            "FAILED",
            "100.00 USD at the gateway, 100.00 EUR in {payment}.",
        ),
        (
            "payment_intent.succeeded",
            {"id": "pi_000777"},
            "FAILED",
            "pi_000777 is not what we know {payment} as.",
        ),
        (
            "payment_intent.payment_failed",
            {},
            "FAILED",
            "{payment} is SUCCEEDED, and failed at the gateway.",
        ),
        (
            "payment_intent.canceled",
            {},
            "FAILED",
            "{payment} is SUCCEEDED, and canceled at the gateway.",
        ),
    ],
)
def test_news_of_a_payment_that_succeeded(
    stripe_server: StripeAccount,
    shop: Merchant,
    kind: str,
    fields: dict[str, Any],
    status: str,
    result: str,
) -> None:
    payment = paid(shop)

    event = hear(kind, stripe_server.charged() | fields)

    assert event.status == status
    assert event.result == (result.format(payment=payment) or "Our row says the same.")
    assert JournalEntry.objects.count() == 1


def test_news_of_a_declined_payment_agrees_and_success_after_it_is_for_a_person(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_card_chargeDeclined")
    process_payments()
    intent = stripe_server.charged("pm_card_chargeDeclined")

    assert hear("payment_intent.payment_failed", intent).status == "PROCESSED"
    event = hear("payment_intent.succeeded", intent | {"amount_received": 100_00})

    assert event.result == f"{payment} is FAILED, and succeeded at the gateway."
    assert (event.status, JournalEntry.objects.count()) == ("FAILED", 0)


def test_payment_of_somebody_else_at_the_same_account_is_ignored(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    paid(shop)

    event = hear("payment_intent.succeeded", stripe_server.charged() | {"metadata": {}})

    assert (event.status, event.result) == ("IGNORED", "Asked for by somebody else.")


def test_payment_of_another_gateway_is_not_found(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    other = SucceededPaymentFactory(merchant=MerchantFactory())
    assert other.gateway.code == "sim"
    thing = {
        "id": "pi_000001",
        "amount_received": 100_00,
        "currency": "eur",
        "metadata": {"tieout_key": other.public_id},
    }

    event = hear("payment_intent.succeeded", thing)
    for _ in range(7):
        assert event.status == "RECEIVED"
        act(event)

    assert (event.status, event.result) == ("IGNORED", "We know nothing of this.")


# --- Refunds -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refund.updated"])
def test_news_of_a_refund_we_know(shop: Merchant, kind: str) -> None:
    payment = paid(shop)
    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    assert hear(kind, refund_object(refund, payment)).status == "PROCESSED"


def test_news_makes_a_waiting_refund_be_asked_about(
    stripe_server: StripeAccount, shop: Merchant
) -> None:
    payment = paid(shop)
    refund = RefundFactory(payment=payment, money=eur("40.00"))
    stripe_server.trouble = ["500_after"]
    process_refunds()
    later(refund)

    event = hear("refund.updated", refund_object(refund, payment))
    assert event.status == "RECEIVED"
    process_refunds()

    refund.refresh_from_db()
    assert (refund.status, len(stripe_server.refunds)) == ("SUCCEEDED", 1)
    assert act(event).status == "PROCESSED"


def test_refund_that_fails_after_it_succeeded_is_for_a_person(shop: Merchant) -> None:
    payment = paid(shop)
    refund = SucceededRefundFactory(payment=payment, money=eur("40.00"))

    event = hear("refund.failed", refund_object(refund, payment, status="failed"))

    assert event.status == "FAILED"
    assert event.result == f"{refund} is SUCCEEDED, and failed at the gateway."


def test_refund_nobody_here_asked_for_is_for_a_person(shop: Merchant) -> None:
    payment = paid(shop)

    event = hear("refund.created", refund_object(None, payment))

    assert event.status == "FAILED"
    assert event.result == f"40.00 EUR of {payment} was refunded, but not by us."
    assert JournalEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "status"), [(40_00, "PROCESSED"), (10_00, "PROCESSED"), (40_01, "FAILED")]
)
def test_all_that_was_refunded_of_a_payment(shop: Merchant, amount: int, status: str) -> None:
    payment = paid(shop)
    SucceededRefundFactory(payment=payment, money=eur("40.00"))
    charge = {
        "id": "ch_000001",
        "payment_intent": payment.gateway_reference,
        "amount_refunded": amount,
        "currency": "eur",
        "metadata": {"tieout_key": payment.public_id},
    }

    assert hear("charge.refunded", charge).status == status


# --- Disputes ------------------------------------------------------------------------------


def test_dispute_is_opened_reviewed_and_won(shop: Merchant) -> None:
    payment = paid(shop)

    hear("charge.dispute.created", dispute_object(payment, "needs_response"))
    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.reference) == ("OPEN", "du_000009")
    assert int(dispute.effective_at.timestamp()) == 1_772_366_400
    hear("charge.dispute.updated", dispute_object(payment, "under_review"))
    dispute.refresh_from_db()
    assert dispute.status == "UNDER_REVIEW"
    event = hear("charge.dispute.closed", dispute_object(payment, "won"))

    dispute.refresh_from_db()
    assert (dispute.status, event.status) == ("WON", "PROCESSED")
    clearing = [line for line in t_accounts(dispute.public_id) if "clearing" in line[1]]
    assert clearing == [
        ("credit", "clearing:stripe:EUR", 100_00),
        ("debit", "clearing:stripe:EUR", 100_00),
    ]
    assert AuditEvent.objects.filter(actor_id="gateway stripe").count() == 3


def test_dispute_told_from_its_end_is_posted_once(shop: Merchant) -> None:
    payment = paid(shop)

    statuses = [
        hear(kind, dispute_object(payment, status)).status
        for kind, status in [
            ("charge.dispute.closed", "lost"),
            ("charge.dispute.updated", "under_review"),
            ("charge.dispute.created", "needs_response"),
            ("charge.dispute.funds_withdrawn", "needs_response"),
        ]
    ]

    assert statuses == ["PROCESSED"] * 4
    assert Dispute.objects.get().status == "LOST"
    assert JournalEntry.objects.filter(kind="dispute").count() == 1


def test_dispute_a_report_told_of_first_is_not_opened_again(shop: Merchant) -> None:
    payment = paid(shop)
    notice = DisputeNotice(payment, "stripe:txn_9:1", eur("100.00"), timezone.now())
    (reported,) = record_disputes([notice])
    post_entry(entry_for_dispute_opened(reported))

    event = hear("charge.dispute.closed", dispute_object(payment, "won"))

    dispute = Dispute.objects.get()
    assert (dispute.pk, dispute.status, event.status) == (reported.pk, "WON", "PROCESSED")
    assert JournalEntry.objects.filter(kind="dispute").count() == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"status": "won"}, "is LOST"), ({"amount": 90_00}, "du_000009"), ({"currency": "usd"}, "")],
)
def test_dispute_that_contradicts_itself_is_for_a_person(
    shop: Merchant, fields: dict[str, Any], reason: str
) -> None:
    payment = paid(shop)
    lost = dispute_object(payment, "lost")
    hear("charge.dispute.closed", lost)

    event = hear("charge.dispute.closed", lost | fields)

    assert event.status == "FAILED"
    assert reason in event.result
    assert Dispute.objects.get().status == "LOST"


def test_dispute_above_the_payment_is_for_a_person(shop: Merchant) -> None:
    payment = paid(shop)

    event = hear("charge.dispute.created", dispute_object(payment, "lost", amount=100_01))

    assert event.status == "FAILED"
    assert not Dispute.objects.exists()


def test_inquiry_moves_no_money(shop: Merchant) -> None:
    payment = paid(shop)

    event = hear("charge.dispute.created", dispute_object(payment, "warning_needs_response"))

    assert (event.status, Dispute.objects.count()) == ("IGNORED", 0)


def test_dispute_of_an_unknown_payment_is_looked_for_and_then_ignored(shop: Merchant) -> None:
    payment = PaymentFactory(merchant=shop)
    payment.gateway_reference = "pi_of_somebody_else"

    event = hear("charge.dispute.created", dispute_object(payment, "needs_response"))
    assert event.status == "RECEIVED"
    for _ in range(7):
        act(event)

    assert (event.status, event.attempts) == ("IGNORED", 8)


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
