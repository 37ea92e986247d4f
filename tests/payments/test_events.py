"""Events: which there are, who is sent them, how long they are kept."""

import ast
from datetime import timedelta

import pytest
from django.utils import timezone

from config.embedded.places import CHECKOUT
from payments.event_types import EVENT_TYPES, PATTERNS, unknown_among
from payments.events import Fact, UnknownEventType, purge_events, tell
from payments.invariants import untold_facts
from payments.models import Dispute, Event, Payment, Refund, WebhookAttempt, WebhookDelivery
from payments.models.events import KEPT_FOR
from payments.services.disputes import lose_dispute, review_dispute, win_dispute
from payments.services.processing import process_payments
from payments.services.webhook_endpoints import disable_endpoint, remove_endpoint
from settlements.models import Payout
from tests.factories import (
    ACTOR,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
)
from tests.support.endpoints import endpoint, heard_by, told_about

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

# What nobody outside has to hear of: it says nothing yet.
SILENT = {"payment.pending", "payment.processing", "refund.pending", "refund.processing"}


def fact(name: str, subject: str = "pay_1", merchant_id: int | None = None) -> Fact:
    return Fact(name, subject, merchant_id, {"id": subject})


def test_every_status_is_an_event_or_says_nothing_yet() -> None:
    statuses = {
        *(f"payment.{status.lower()}" for status in Payment.Status.values),
        *(f"refund.{status.lower()}" for status in Refund.Status.values),
        *(f"dispute.{status.lower()}" for status in Dispute.Status.values),
        *(f"payout.{status.lower()}" for status in Payout.Status.values),
    }

    unheard = statuses - EVENT_TYPES.keys() - SILENT

    # These two have names of their own.
    assert unheard == {"dispute.open", "payout.pending_approval"}
    assert {"dispute.opened", "payout.created"} <= EVENT_TYPES.keys()


def test_every_type_is_told_by_somebody() -> None:
    """Its name is in the sources, or the f-string of its family is."""
    texts = {
        node.value
        for app in ("payments", "settlements", "reconciliation")
        for path in (CHECKOUT / app).rglob("*.py")
        if path.name != "event_types.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    missing = {
        name for name in EVENT_TYPES if name not in texts and f"{name.split('.')[0]}." not in texts
    }

    assert missing == set()


def test_type_that_is_in_no_table_is_not_told() -> None:
    with pytest.raises(UnknownEventType, match=r"^payment\.sneezed$"):
        tell([fact("payment.succeeded"), fact("payment.sneezed")], at=timezone.now())

    assert not Event.objects.exists()


def test_patterns_are_names_families_and_everything() -> None:
    assert {"*", "payment.*", "payment.succeeded", "discrepancy.*"} <= PATTERNS
    assert unknown_among(["*", "payment.*", "pay.*", "payment.sneezed", "payment"]) == [
        "pay.*",
        "payment",
        "payment.sneezed",
    ]


def test_endpoint_hears_what_it_listens_to() -> None:
    merchant = MerchantFactory()
    everything = endpoint(merchant)
    payments = endpoint(merchant, "payment.*")
    one = endpoint(merchant, "refund.failed", "payment.failed")
    refunds = endpoint(merchant, "refund.*")

    for source in ("tok_visa", "tok_declined"):
        PaymentFactory(merchant=merchant, source=source)
        process_payments()

    assert heard_by(everything) == ["payment.succeeded", "payment.failed"]
    assert heard_by(payments) == ["payment.succeeded", "payment.failed"]
    assert heard_by(one) == ["payment.failed"]
    assert heard_by(refunds) == []


def test_delivery_is_due_from_the_moment_of_the_event() -> None:
    merchant = MerchantFactory()
    endpoint(merchant)
    PaymentFactory(merchant=merchant)

    process_payments()

    event, delivery = Event.objects.get(), WebhookDelivery.objects.get()
    assert (delivery.status, delivery.tries, delivery.attempts) == ("PENDING", 0, 0)
    assert delivery.due_at == delivery.created_at == event.created_at
    assert delivery.public_id.startswith("wd_")
    assert len(delivery.public_id) == len(event.public_id) - 1


def test_merchants_hear_of_their_own_and_the_platform_of_all() -> None:
    ours, other = MerchantFactory(), MerchantFactory()
    listener, platform = endpoint(ours), endpoint(None)

    facts = [
        fact("payment.failed", "pay_1", other.pk),
        fact("payment.succeeded", "pay_2", ours.pk),
        fact("reconciliation.completed", "run_1"),
    ]
    tell(facts, at=timezone.now())

    assert heard_by(listener) == ["payment.succeeded"]
    assert heard_by(platform) == [each.type for each in facts]


def test_disabled_and_removed_endpoints_hear_nothing() -> None:
    merchant = MerchantFactory()
    disabled, removed = endpoint(merchant), endpoint(merchant)
    disable_endpoint(disabled, actor=ACTOR)
    remove_endpoint(removed, actor=ACTOR)

    tell([fact("payment.failed", merchant_id=merchant.pk)], at=timezone.now())

    assert not WebhookDelivery.objects.exists()


def test_for_an_endpoint_that_failed_for_days_events_are_kept_waiting() -> None:
    merchant = MerchantFactory()
    listener = endpoint(merchant)
    listener.status = listener.Status.DISABLED_AUTO
    listener.save()

    tell([fact("payment.failed", merchant_id=merchant.pk)], at=timezone.now())

    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.due_at) == ("PENDING", None)


def test_events_about_one_thing_are_numbered_one_by_one() -> None:
    now = timezone.now()
    tell([fact("dispute.opened", "dp_1"), fact("dispute.opened", "dp_2")], at=now)
    tell([fact("dispute.under_review", "dp_1"), fact("dispute.won", "dp_1")], at=now)

    assert told_about("dp_1") == [
        (1, "dispute.opened"),
        (2, "dispute.under_review"),
        (3, "dispute.won"),
    ]
    assert told_about("dp_2") == [(1, "dispute.opened")]


@pytest.mark.parametrize(("end", "name"), [(win_dispute, "won"), (lose_dispute, "lost")])
def test_life_of_a_dispute_is_told(end, name) -> None:
    dispute = DisputeFactory()
    more = {"effective_at": timezone.now()} if name == "won" else {}

    review_dispute(dispute, actor=ACTOR)
    end(dispute, actor=ACTOR, **more)

    assert told_about(dispute.public_id) == [
        (1, "dispute.opened"),
        (2, "dispute.under_review"),
        (3, f"dispute.{name}"),
    ]


def test_old_events_go_with_their_deliveries_and_attempts() -> None:
    merchant = MerchantFactory()
    endpoint(merchant)
    old, young = PaymentFactory(merchant=merchant), PaymentFactory(merchant=merchant)
    process_payments()
    now = timezone.now()
    Event.objects.filter(subject=old.public_id).update(
        created_at=now - KEPT_FOR - timedelta(days=1)
    )
    for delivery in WebhookDelivery.objects.all():
        WebhookAttempt.objects.create(
            delivery=delivery, number=1, asked_at=now, milliseconds=5, status_code=500
        )

    assert purge_events() == 1

    assert told_about(old.public_id) == []
    assert told_about(young.public_id) == [(1, "payment.succeeded")]
    assert WebhookDelivery.objects.get().event.subject == young.public_id
    assert WebhookAttempt.objects.count() == 1
    assert purge_events() == 0


def test_what_is_not_over_keeps_its_number_through_the_purge() -> None:
    """Whoever keeps the highest number it saw must not take the next event for an old one."""
    dispute = DisputeFactory()
    review_dispute(dispute, actor=ACTOR)
    old = timezone.now() - KEPT_FOR - timedelta(days=1)
    told = Event.objects.filter(subject=dispute.public_id)
    told.update(created_at=old)
    Dispute.objects.update(created_at=old)

    assert purge_events() == 1
    lose_dispute(dispute, actor=ACTOR)

    assert told_about(dispute.public_id) == [(2, "dispute.under_review"), (3, "dispute.lost")]
    assert untold_facts() == []
    told.update(created_at=old)
    assert purge_events() == 2
    assert told_about(dispute.public_id) == []
    assert untold_facts() == []


def test_fact_that_was_never_told_is_found_while_events_are_kept() -> None:
    young, old = SucceededPaymentFactory(), SucceededPaymentFactory()
    Payment.objects.filter(pk=old.pk).update(created_at=timezone.now() - 2 * KEPT_FOR)
    Event.objects.all().delete()

    (breach,) = untold_facts()

    assert young.public_id in str(breach)
