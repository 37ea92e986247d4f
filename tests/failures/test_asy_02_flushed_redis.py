"""ASY-02: Redis is emptied every second while payments come in: nothing is lost, nothing twice."""

import threading
import time
from pathlib import Path

import pytest
from django.conf import LazySettings

from payments.models import ParkedWork, Payment, SimulatedOperation
from tests.chaos.clients import Client
from tests.chaos.stage import Stage, assert_invariants_hold, stage
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.servers import wait_for

PAYMENTS = 200
SECONDS = 8
DRAINED_WITHIN_SECONDS = 30


def flush(platform: Stage, over: threading.Event) -> None:
    while not over.wait(1):
        platform.valkey.client.flushall()


@pytest.mark.django_db(transaction=True)
def test_asy_02_redis_is_flushed_every_second(settings: LazySettings, tmp_path: Path) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    merchant = MerchantFactory(code="shop")
    secret = ApiKeyFactory(merchant=merchant).secret

    with stage() as platform:
        platform.open()
        pids = platform.supervisors[0].pids()
        over = threading.Event()
        flusher = threading.Thread(target=flush, args=[platform, over], daemon=True)
        flusher.start()
        with Client(platform.base_url, secret) as client:
            for number in range(PAYMENTS):
                client.pay(f"order-{number}")
                time.sleep(SECONDS / PAYMENTS)
        over.set()
        flusher.join()
        wait_for(lambda: succeeded() == PAYMENTS, DRAINED_WITHIN_SECONDS)
        assert platform.supervisors[0].pids() == pids

    assert client.statuses == {202: PAYMENTS}
    assert SimulatedOperation.objects.count() == PAYMENTS
    assert not ParkedWork.objects.exists()
    assert_invariants_hold()


def succeeded() -> int:
    return Payment.objects.filter(status="SUCCEEDED").count()
