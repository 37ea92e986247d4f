"""WHK-02: how many deliveries are under way at once: of an endpoint, a merchant, whoever fails."""

import socket
import threading
import time

from django.utils import timezone

from payments.services.couriers import Courier, claim
from payments.services.webhook_deliveries import deliver_webhooks
from tests.factories import MerchantFactory
from tests.support.receivers import (
    Received,
    Receiver,
    answer,
    deliveries,
    happen,
    listening,
    receiver,
)


def test_whk_02_slow_down_halves_what_is_sent_at_once(shop: Receiver) -> None:
    shop.scripts = [answer(429), answer(503), answer(504), answer(502)]
    endpoint, _ = listening(MerchantFactory(), shop.url)
    expected = [4, 2, 2, 1, 1, 2, 3, 4, 4]  # 429, 503, 504, 502, then 200 again and again

    paces = [endpoint.concurrency]
    for _ in range(8):
        happen(endpoint.merchant)
        deliver_webhooks()
        endpoint.refresh_from_db()
        paces.append(endpoint.concurrency)

    assert paces == expected


def test_whk_02_no_more_than_its_concurrency_is_sent_at_once(shop: Receiver) -> None:
    def slowly(connection: socket.socket, request: Received) -> None:
        time.sleep(0.05)
        answer()(connection, request)

    shop.script = slowly
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant, 30)
    deliver_webhooks()

    assert shop.at_once_max == 4
    assert deliveries(endpoint, status="DELIVERED") == 30


def test_whk_02_no_more_than_a_fifth_is_for_one_merchant(db: None) -> None:
    with receiver() as shop, receiver() as others:
        together = threading.Barrier(4)

        def wait_for_others(connection: socket.socket, request: Received) -> None:
            together.wait(5)
            answer()(connection, request)

        shop.script, others.script = shop.hang, wait_for_others
        big, small = MerchantFactory(), MerchantFactory()
        for _ in range(20):
            listening(big, shop.url)
        listening(small, others.url)
        happen(big, 4)
        happen(small, 4)
        courier = Courier()
        assert courier.take() == 12 + 4
        while len(others.received) < 4:
            courier.wait()
        assert (shop.at_once_max, others.at_once_max) == (12, 4)
        assert courier.take() == 0


def test_whk_02_failing_endpoints_together_get_half(db: None) -> None:
    for _ in range(12):
        merchant = MerchantFactory()
        listening(merchant, "http://127.0.0.1:9/", failing_since=timezone.now())
        happen(merchant, 4)
    healthy = MerchantFactory()
    listening(healthy, "http://127.0.0.1:9/")
    happen(healthy, 4)

    claimed = claim(64)

    assert len(claimed) == 32 + 4
    assert len([row for row in claimed if row.endpoint.failing_since is None]) == 4
    assert claim(64) == []
