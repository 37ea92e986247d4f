"""What belongs to a merchant: one of each thing that has an id in the API."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from ledger.ids import new_id
from ledger.models import Account
from ledger.money import Money
from payments.events import Fact, tell
from payments.models import Dispute, Event, Merchant, WebhookDelivery
from payments.services.merchants import open_wallet
from payments.services.transfers import TransferWish, create_transfer
from reconciliation.models import Discrepancy, ReconciliationRun
from reconciliation.services.runs import reconcile
from settlements.models import SettlementBatch
from settlements.services.batches import run_settlement
from tests.factories import (
    ACTOR,
    ApiKeyFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
)
from tests.support.endpoints import endpoint
from tests.support.reports import charge, define_sources, load, report


def wallet(merchant: Merchant, code: str = "savings") -> Account:
    return open_wallet(merchant, code=code, currency="USD", funded=Money(10_000, "USD"))


def transfer(merchant: Merchant) -> Any:
    wish = TransferWish(wallet(merchant), wallet(merchant, "checking"), Money(100, "USD"))
    return create_transfer(merchant, wish, idempotency_key=new_id("order"), actor=ACTOR)


def dispute(merchant: Merchant) -> Dispute:
    payment = SucceededPaymentFactory(merchant=merchant)
    return Dispute.objects.create(
        payment=payment,
        merchant=merchant,
        reference=new_id("case"),
        amount=payment.amount,
        currency=payment.currency,
        effective_at=payment.created_at,
    )


def settled(merchant: Merchant) -> SettlementBatch:
    payment = SucceededPaymentFactory(merchant=merchant)
    run_settlement(payment.effective_at.date(), actor=ACTOR)
    return SettlementBatch.objects.get(merchant=merchant)


def told(merchant: Merchant) -> Event:
    tell([Fact("payment.failed", new_id("pay"), merchant.pk, {})], at=timezone.now())
    return Event.objects.latest("pk")


def delivery(merchant: Merchant) -> WebhookDelivery:
    endpoint(merchant)
    told(merchant)
    return WebhookDelivery.objects.latest("pk")


def reconciled(merchant: Merchant) -> ReconciliationRun:
    payment = SucceededPaymentFactory(merchant=merchant)
    processor, _ = define_sources()
    load(processor, report(charge(payment, new_id("txn"))))
    reconcile()
    return ReconciliationRun.objects.latest("pk")


def differs(merchant: Merchant) -> Discrepancy:
    payment = SucceededPaymentFactory(merchant=merchant)
    processor, _ = define_sources()
    load(processor, report(charge(payment, new_id("txn"), fee="9.00")))
    reconcile()
    return Discrepancy.objects.get(payment=payment)


# How to make what the parameter of a path names, for a merchant: its id.
OWNED: dict[str, Callable[[Merchant], str]] = {
    "account_id": lambda merchant: wallet(merchant).public_id,
    "delivery_id": lambda merchant: delivery(merchant).public_id,
    "discrepancy_id": lambda merchant: differs(merchant).public_id,
    "dispute_id": lambda merchant: dispute(merchant).public_id,
    "endpoint_id": lambda merchant: endpoint(merchant).public_id,
    "event_id": lambda merchant: told(merchant).public_id,
    "idempotency_key": lambda merchant: transfer(merchant).idempotency_key,
    "key_id": lambda merchant: ApiKeyFactory(merchant=merchant).record.public_id,
    "payment_id": lambda merchant: PaymentFactory(merchant=merchant).public_id,
    "payout_id": lambda merchant: settled(merchant).latest_payout.public_id,
    "refund_id": lambda merchant: (
        SucceededRefundFactory(payment=SucceededPaymentFactory(merchant=merchant)).public_id
    ),
    "run_id": lambda merchant: reconciled(merchant).public_id,
    "settlement_id": lambda merchant: settled(merchant).public_id,
    "transaction_id": lambda merchant: transfer(merchant).public_id,
}
# How to ask for what is below something else of the same merchant, by its id.
ABOVE: dict[str, Callable[[str], dict[str, str]]] = {
    "delivery_id": lambda name: {
        "endpoint_id": WebhookDelivery.objects.get(public_id=name).endpoint.public_id
    },
}
