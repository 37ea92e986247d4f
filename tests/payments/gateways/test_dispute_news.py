"""What gateways tell us of disputes."""

from typing import Any

import pytest
from django.utils import timezone

from ledger.models import AuditEvent, JournalEntry
from ledger.services.posting import post_entry
from payments.bookkeeping import entry_for_dispute_opened
from payments.models import Dispute, Merchant
from payments.services.disputes import DisputeNotice, record_disputes
from tests.factories import (
    PaymentFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.gateway_events import act, hear
from tests.support.gateway_news import dispute_object, paid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


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
    for _ in range(15):
        act(event)

    assert (event.status, event.attempts) == ("IGNORED", 16)
