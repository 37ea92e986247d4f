"""ASY-03: Redis is stopped, then paused, while payments come in: nobody notices, no work is lost.

`ASY_03_SECONDS=60` is the full size.
"""

import os
import time
from pathlib import Path

import pytest
from django.conf import LazySettings

from payments.models import ParkedWork, Payment, SimulatedOperation
from tests.chaos.clients import Client
from tests.chaos.stage import assert_invariants_hold, stage
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.servers import wait_for

SECONDS = int(os.environ.get("ASY_03_SECONDS", "8"))
PER_SECOND = 8
DRAINED_WITHIN_SECONDS = 30
ANSWERED_WITHIN_SECONDS = 1


def pay_for_a_while(client: Client, name: str) -> None:
    for number in range(SECONDS * PER_SECOND):
        client.pay(f"{name}-{number}")
        time.sleep(1 / PER_SECOND)


@pytest.mark.django_db(transaction=True)
def test_asy_03_redis_is_stopped_and_paused(settings: LazySettings, tmp_path: Path) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    secret = ApiKeyFactory(merchant=MerchantFactory(code="shop")).secret
    payments = SECONDS * PER_SECOND

    with stage() as platform:
        platform.open()
        pids = platform.supervisors[0].pids()
        with Client(platform.base_url, secret) as client:
            platform.valkey.kill()
            pay_for_a_while(client, "stopped")
            platform.start_valkey()
            wait_for(lambda: succeeded() == payments, DRAINED_WITHIN_SECONDS)

            platform.valkey.pause()
            pay_for_a_while(client, "paused")
            platform.valkey.resume()
            wait_for(lambda: succeeded() == 2 * payments, DRAINED_WITHIN_SECONDS)
        assert platform.supervisors[0].pids() == pids  # nobody was restarted

    assert client.statuses == {202: 2 * payments}
    assert client.p95() <= ANSWERED_WITHIN_SECONDS
    assert SimulatedOperation.objects.count() == 2 * payments
    assert not ParkedWork.objects.exists()
    assert_invariants_hold()


def succeeded() -> int:
    return Payment.objects.filter(status="SUCCEEDED").count()
