"""ASY-01: the worker is killed again and again with rows in its hands; each is done once.

`ASY_01_KILLS=20` is the full size: 1,500 rows, killed for a minute and more.
"""

import os
import random
import time
from pathlib import Path

import pytest
from django.conf import LazySettings

from ledger.models import JournalEntry
from payments.models import Event, ParkedWork, Payment, SimulatedOperation
from tests.chaos.stage import assert_invariants_hold, stage
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.books import balances
from tests.support.servers import wait_for

KILLS = int(os.environ.get("ASY_01_KILLS", "4"))
ROWS_PER_KILL = 75
DONE_WITHIN_SECONDS = 120


@pytest.mark.django_db(transaction=True)
def test_asy_01_rows_of_killed_workers_are_done_exactly_once(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    chance = random.Random("asy-01")
    merchant = MerchantFactory(code="shop")
    rows = KILLS * ROWS_PER_KILL

    with stage(SIMULATOR_LATENCY_SECONDS="0.4", WORKER_CONCURRENCY="1") as platform:
        for _ in range(KILLS):
            for _ in range(ROWS_PER_KILL):
                PaymentFactory(merchant=merchant)
            held_before = held()
            platform.open(web=False)
            wait_for(lambda before=held_before: held() > before)
            time.sleep(chance.uniform(0, 0.7))
            platform.kill_group("worker1")
            platform.shut()
        held_by_the_dead = held()
        platform.open(web=False)
        wait_for(lambda: succeeded() == rows, DONE_WITHIN_SECONDS)

    assert held_by_the_dead >= ROWS_PER_KILL  # otherwise nobody was hurt
    assert not ParkedWork.objects.exists()
    assert SimulatedOperation.objects.count() == rows
    assert JournalEntry.objects.count() == rows
    assert Event.objects.filter(type="payment.succeeded").count() == rows
    assert balances() == {
        "clearing:sim:EUR": (rows * 100_00, 0),
        f"{merchant.public_id}merchant:shop:payable:EUR": (rows * 3_20, rows * 100_00),
        "income:fees:EUR": (0, rows * 3_20),
    }
    assert_invariants_hold()


def held() -> int:
    return Payment.objects.filter(holder__isnull=False).count()


def succeeded() -> int:
    return Payment.objects.filter(status="SUCCEEDED").count()
