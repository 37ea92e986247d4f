"""WHK-05: the sender is killed when it was answered and has not written so: it is sent again."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from payments.models import ParkedWork, WebhookAttempt
from payments.services.webhook_deliveries import deliver_webhooks
from tests.factories import MerchantFactory
from tests.support.own_names import database_url_of_tests
from tests.support.receivers import Received, answer, happen, listening, receiver
from tests.support.servers import Child, wait_for

SEND = """
import django
django.setup()
from payments.services.webhook_deliveries import deliver_webhooks
deliver_webhooks()
"""


@pytest.mark.django_db(transaction=True)
def test_whk_05_delivery_whose_outcome_was_lost_is_made_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    merchant = MerchantFactory()
    with receiver() as shop:
        listening(merchant, shop.url)
        (event,) = happen(merchant)
        sender = Child([sys.executable, "-c", SEND], tmp_path, DATABASE_URL=database_url_of_tests())

        def answer_and_kill(connection: socket.socket, request: Received) -> None:
            os.killpg(sender.process.pid, signal.SIGSTOP)
            answer()(connection, request)
            os.killpg(sender.process.pid, signal.SIGKILL)

        shop.scripts = [answer_and_kill]
        try:
            wait_for(lambda: len(shop.received) == 1)
            assert sender.process.wait(10) != 0
        finally:
            sender.kill_group()
        delivery = event.deliveries.get()
        assert (delivery.status, delivery.attempts, delivery.tries) == ("PENDING", 1, 0)
        assert delivery.holder is not None
        assert not WebhookAttempt.objects.exists()
        assert deliver_webhooks() == 0  # until it is known to be dead

        event.deliveries.update(leased_until=timezone.now())
        assert deliver_webhooks() == 1

        assert shop.ids() == [event.public_id] * 2
        assert shop.received[0].body == shop.received[1].body
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.tries) == ("DELIVERED", 2, 1)
    assert (delivery.holder, delivery.due_at, delivery.deaths) == (None, None, 0)
    assert list(WebhookAttempt.objects.values_list("number", "status_code")) == [(2, 200)]
    assert not ParkedWork.objects.exists()
