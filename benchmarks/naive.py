"""The peer of the engine: one Celery task per payment, done with the ORM as one would write it.

And the limit: the ledger's own posting of the same payments, without anything around it. Both run
in Celery workers (`celery -A benchmarks.naive worker`), as the engine does.
"""

import gc

from celery import Celery
from celery.signals import worker_process_init
from django.db import transaction
from django.db.models import F
from django.utils import timezone

app = Celery("naive")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "naive"

BATCH = 1_000


@worker_process_init.connect
def begin_work(**_: object) -> None:
    """As the engine's workers do."""
    gc.collect()
    gc.freeze()


@app.task(name="benchmarks.naive.charge")
def charge(payment_id: int) -> None:
    """PENDING to SUCCEEDED: ask the gateway, save, post two rows, save an event."""
    from benchmarks.models import PlainAccount, PlainEntry, PlainPosting
    from payments import gateways
    from payments.models import Event, Payment
    from payments.representations import represent_payment
    from payments.services.asking import request_for

    with transaction.atomic():
        payment = Payment.objects.select_for_update().get(pk=payment_id)
        payment.status = Payment.Status.PROCESSING
        payment.attempts += 1
        payment.save()
    (outcome,) = gateways.adapter_for(payment.gateway).perform([request_for(payment)])
    with transaction.atomic():
        accounts = PlainAccount.objects.select_for_update().filter(pk__in=[1, 2]).order_by("pk")
        source, target = accounts
        entry = PlainEntry.objects.create(
            idempotency_key=payment.public_id, reference=payment.public_id
        )
        for account, amount in ((source, -payment.amount), (target, payment.amount)):
            account.balance = F("balance") + amount
            account.save()
            account.refresh_from_db()
            PlainPosting.objects.create(
                entry=entry, account=account, amount=amount, balance_after=account.balance
            )
        payment.status = Payment.Status.SUCCEEDED
        payment.amount_captured = payment.amount
        payment.gateway_reference = outcome.gateway_reference
        payment.effective_at = timezone.now()
        payment.settlement_due_on = payment.effective_at.date()
        payment.due_at = None
        payment.save()
        Event.objects.create(
            merchant=payment.merchant,
            type="payment.succeeded",
            subject=payment.public_id,
            sequence=1,
            data=represent_payment(payment),
        )


@app.task(name="benchmarks.naive.post")
def post(first: int, last: int, run: str) -> None:
    """Make the entries of these payments and post them, BATCH at a time."""
    from dataclasses import replace

    from ledger.services.posting import post_all
    from payments.bookkeeping import entry_for_payment
    from payments.models import Payment

    now = timezone.now()
    payments = list(
        Payment.objects.select_related("merchant", "gateway").filter(pk__range=(first, last))
    )
    for payment in payments:
        payment.amount_captured, payment.fee = payment.amount, payment.amount // 50
    for start in range(0, len(payments), BATCH):
        entries = [entry_for_payment(payment, now) for payment in payments[start : start + BATCH]]
        with transaction.atomic():
            post_all(
                [replace(entry, idempotency_key=f"{run}:{entry.reference}") for entry in entries]
            )
