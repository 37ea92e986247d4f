"""What is told is what the OpenAPI page says of it, all through a business day."""

import json
from typing import Any

import jsonschema
import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from payments.events import encode
from payments.models import Event
from payments.representations import represent_event
from payments.services.authorisations import cancel_payment, capture_payment
from payments.services.disputes import lose_dispute, review_dispute, win_dispute
from payments.services.merchants import open_wallet
from payments.services.processing import process_payments, process_refunds
from payments.services.transfers import TransferWish, create_transfer, process_transfers
from payments.services.webhook_deliveries import send_test
from reconciliation.services.runs import reconcile
from settlements.models import Payout
from settlements.services.batches import run_settlement
from tests.factories import (
    ACTOR,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.endpoints import endpoint
from tests.support.payouts import sent
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def business_day() -> None:
    shop = MerchantFactory()
    for source in ("tok_visa", "tok_declined"):
        PaymentFactory(merchant=shop, source=source)
    held = [
        PaymentFactory(merchant=shop, source=source, capture="manual")
        for source in ("tok_visa", "tok_visa", "tok_capture_declined")
    ]
    process_payments()
    capture_payment(held[0], money=eur("1.00"), actor=ACTOR)
    cancel_payment(held[1], actor=ACTOR)
    capture_payment(held[2], actor=ACTOR)
    process_payments()
    RefundFactory()
    process_refunds()
    win_dispute(
        review_dispute(DisputeFactory(), actor=ACTOR), effective_at=timezone.now(), actor=ACTOR
    )
    lose_dispute(DisputeFactory(), actor=ACTOR)
    move_money(shop)
    processor, _ = define_sources()
    payment = SucceededPaymentFactory(merchant=shop)
    load(processor, report(charge(payment, "txn_1", gross="1.00")))
    run_settlement(payment.effective_at.date(), actor=ACTOR)
    sent(list(Payout.objects.filter(merchant=shop)))
    reconcile()
    send_test(endpoint(shop), actor=ACTOR)


def move_money(shop: Any) -> None:
    source = open_wallet(shop, code="from", currency="EUR", funded=eur("5.00"))
    target = open_wallet(shop, code="to", currency="EUR", funded=eur("0.00"))
    for number, amount in enumerate(("5.00", "1.00")):
        wish = TransferWish(source, target, eur(amount))
        create_transfer(shop, wish, idempotency_key=f"t-{number}", actor=ACTOR)
        process_transfers()


def test_every_event_is_as_its_webhook_says() -> None:
    page = SchemaGenerator().get_schema(request=None, public=True)
    business_day()

    told = set()
    for event in Event.objects.select_related("merchant"):
        body = page["webhooks"][event.type]["post"]["requestBody"]
        schema = {**body["content"]["application/json"]["schema"], "components": page["components"]}
        jsonschema.Draft202012Validator(schema).validate(json.loads(encode(represent_event(event))))
        told.add(event.type)

    # The others are told where they are tested.
    assert page["webhooks"].keys() - told == {
        *("payment.expired", "payment.cancel_failed", "refund.failed"),
        *("payout.paid", "payout.rejected", "payout.returned", "payout.canceled"),
        *("discrepancy.resolved", "webhook_endpoint.disabled"),
    }
