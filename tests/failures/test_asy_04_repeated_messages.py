"""ASY-04: every message delivered five times, shuffled, to four workers: the same effects."""

import random
import time
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import LazySettings
from django.db import connection

from payments import doorbell
from payments.models import Merchant, ParkedWork, Payment, Refund, Transfer
from tests.chaos.stage import assert_invariants_hold
from tests.factories import (
    MerchantFactory,
    PaymentFactory,
    RefundFactory,
    SucceededPaymentFactory,
    eur,
)
from tests.support.servers import start_worker
from tests.support.transfers import ask, purse

DELIVERIES = 5
WORKERS = 4
PAYMENTS = 120
TOKENS = ["tok_visa", "tok_declined", "tok_mastercard", "tok_error_once", "tok_refund_declined"]
KINDS = [doorbell.Kind.PAYMENTS, doorbell.Kind.REFUNDS, doorbell.Kind.TRANSFERS]
BOOKED = """
SELECT replace(entry.kind || ' ' || account.code, %(code)s, 'shop'), posting.direction,
    posting.amount, count(*)
FROM ledger_journalentry AS entry
JOIN ledger_posting AS posting ON posting.entry_id = entry.id
JOIN ledger_account AS account ON account.id = posting.account_id
WHERE entry.reference IN (
    SELECT public_id FROM payments_payment WHERE merchant_id = %(merchant)s
    UNION ALL SELECT public_id FROM payments_refund WHERE merchant_id = %(merchant)s
    UNION ALL SELECT public_id FROM payments_transfer WHERE merchant_id = %(merchant)s
)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
TOLD = """
SELECT type, count(*) FROM payments_event WHERE merchant_id = %(merchant)s GROUP BY 1 ORDER BY 1
"""
MOVED = """
SELECT kind, source, amount, outcome, count(*) FROM payments_simulatedoperation
WHERE merchant = %(code)s GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


def ask_for_a_day(merchant: Merchant) -> None:
    """Payments, refunds of what was paid before, and transfers; all of them are due."""
    for number in range(1, 21):
        source = TOKENS[number % 2 * 4]
        RefundFactory(
            payment=SucceededPaymentFactory(merchant=merchant, source=source),
            money=eur(f"{number}.00"),
        )
    for number in range(PAYMENTS):
        source = TOKENS[number % len(TOKENS)]
        PaymentFactory(merchant=merchant, source=source, money=eur(f"{100 + number}.00"))
    safe, till = purse(merchant, "safe"), purse(merchant, "till", "0.00")
    for _ in range(30):
        ask(safe, till, "4.00")  # for the last five there is no money left


def work_off(folder: Path, *, workers: int, deliveries: int) -> None:
    """So many workers, told so often, until nothing is left to do."""
    chance = random.Random("asy-04")
    started = [start_worker(folder, lease_seconds=60) for _ in range(workers)]
    try:
        while not is_done():
            messages = [kind for kind in KINDS for _ in range(deliveries)]
            chance.shuffle(messages)
            for kind in messages:
                current_app.send_task(str(kind), ignore_result=True)
            time.sleep(0.5)
    finally:
        for worker in started:
            worker.kill_group()


def is_done() -> bool:
    return not any(
        model.objects.filter(due_at__isnull=False).exists() for model in (Payment, Refund, Transfer)
    )


def effects_on(merchant: Merchant) -> list[tuple[Any, ...]]:
    """What was booked, told and moved at the gateway, without the names of single things."""
    of = {"merchant": merchant.pk, "code": merchant.code}
    with connection.cursor() as cursor:
        found = []
        for statement in (BOOKED, TOLD, MOVED):
            cursor.execute(statement, of)
            found += cursor.fetchall()
    return found


@pytest.mark.django_db(transaction=True)
def test_asy_04_messages_repeated_and_shuffled_have_the_effects_of_one(
    clean_redis: None, settings: LazySettings, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    once, often = MerchantFactory(code="once"), MerchantFactory(code="often")

    ask_for_a_day(once)
    work_off(tmp_path, workers=1, deliveries=1)
    ask_for_a_day(often)
    work_off(tmp_path, workers=WORKERS, deliveries=DELIVERIES)

    assert effects_on(often) == effects_on(once)
    assert Payment.objects.filter(merchant=often, status="SUCCEEDED").count() == 20 + 96
    assert Refund.objects.filter(merchant=often, status="SUCCEEDED").count() == 10
    assert Transfer.objects.filter(merchant=often, status="COMPLETED").count() == 25
    assert not ParkedWork.objects.exists()
    assert_invariants_hold()
