"""What gateways tell us of payments."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from ledger.models import JournalEntry
from payments.models import Merchant, Payment
from payments.services.gateway_events import process_gateway_events
from payments.services.gateway_news import (
    UNKNOWN_ATTEMPTS_MAX,
    UNSETTLED_ATTEMPTS_MAX,
    look_again_at,
)
from payments.services.processing import process_payments
from tests.factories import (
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
)
from tests.support.chores import Clock
from tests.support.gateway_events import act, hear
from tests.support.gateway_news import later, paid
from tests.support.stripe_account import StripeAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


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
    for _ in range(UNKNOWN_ATTEMPTS_MAX - 1):
        assert event.status == "RECEIVED"
        act(event)

    assert (event.status, event.result) == ("IGNORED", "We know nothing of this.")


@pytest.mark.parametrize(
    ("is_ours", "status", "least", "most"),
    [
        pytest.param(True, "FAILED", timedelta(hours=24), timedelta(hours=27), id="ours"),
        pytest.param(False, "IGNORED", timedelta(minutes=10), timedelta(minutes=12), id="unknown"),
    ],
)
def test_news_that_our_rows_never_agree_with_is_not_waited_for_for_ever(
    shop: Merchant,
    monkeypatch: pytest.MonkeyPatch,
    is_ours: bool,
    status: str,
    least: timedelta,
    most: timedelta,
) -> None:
    payment = PaymentFactory(merchant=shop, source="pm_card_visa")
    clock = Clock(monkeypatch, timezone.now())
    leased = clock.now + timedelta(days=9)
    Payment.objects.update(status="PROCESSING", due_at=leased, holder=7, leased_until=leased)
    key = payment.public_id if is_ours else "pay_nobodys"
    about = {"amount_received": 100_00, "currency": "eur", "metadata": {"tieout_key": key}}

    event, began = hear("payment_intent.succeeded", {"id": "pi_000001", **about}), clock.now
    while event.due_at is not None:
        assert event.status == "RECEIVED"
        clock.now = event.due_at
        process_gateway_events()
        event.refresh_from_db()

    assert event.status == status
    assert least <= clock.now - began < most


def test_news_is_looked_at_again_soon_after_whatever_it_waits_for_has_happened() -> None:
    looked_at = [MONDAY]
    for attempts in range(1, UNSETTLED_ATTEMPTS_MAX):
        looked_at.append(look_again_at(attempts, now=looked_at[-1]))

    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(looked_at)]

    assert waits[:8] == [6, 7, 9, 12, 15, 19, 23, 29]
    for wait, at in zip(waits, looked_at, strict=False):
        assert wait <= 11 + (at - MONDAY).total_seconds() / 4
