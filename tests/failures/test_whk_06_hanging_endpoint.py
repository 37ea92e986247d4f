"""WHK-06: an endpoint that hangs for ever, with 5,000 events waiting for it, starves nobody."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from payments.models import Payment, WebhookDelivery
from tests.chaos.stage import stage
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.receivers import deliveries, happen, listening, receiver
from tests.support.servers import wait_for

PENDING = 5_000
MERCHANTS = 4
PAYMENTS_EACH = 25
P95_SECONDS_MAX = 10


@pytest.mark.django_db(transaction=True)
def test_whk_06_others_are_served_while_one_endpoint_hangs(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    with receiver() as stuck, receiver() as fine:
        stuck.script = stuck.hang
        hanging, _ = listening(MerchantFactory(), stuck.url)
        happen(hanging.merchant, PENDING)
        merchants = [MerchantFactory() for _ in range(MERCHANTS)]
        for merchant in merchants:
            listening(merchant, fine.url)
        # One process only: whoever held it up would hold up everything.
        with stage(WORKER_CONCURRENCY="1") as platform:
            platform.open(web=False)
            wait_for(lambda: len(stuck.received) == 4)
            for _ in range(PAYMENTS_EACH):
                for merchant in merchants:
                    PaymentFactory(merchant=merchant)
            others = WebhookDelivery.objects.exclude(endpoint=hanging)
            wait_for(lambda: others.filter(status="DELIVERED").count() == MERCHANTS * PAYMENTS_EACH)
            assert stuck.at_once_max <= 4
            stuck.closing.set()

    assert Payment.objects.filter(status="SUCCEEDED").count() == MERCHANTS * PAYMENTS_EACH
    assert deliveries(hanging, status="DELIVERED") == 0
    delays = sorted(
        (delivered - created).total_seconds()
        for created, delivered in others.values_list("created_at", "delivered_at")
    )
    assert delays[len(delays) * 95 // 100] <= P95_SECONDS_MAX
