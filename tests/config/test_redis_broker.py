"""Whatever is in the queue, and whenever Redis goes: workers go on."""

from pathlib import Path

import pytest
import redis
from django.conf import settings
from kombu import Connection, Producer, Queue

from config import redis_broker
from payments.models import Payment
from tests.chaos.messages import GARBAGE
from tests.factories import PaymentFactory
from tests.support.servers import start_worker, wait_for


@pytest.mark.django_db(transaction=True)
def test_worker_drops_what_is_no_message_and_goes_on(clean_redis: None, tmp_path: Path) -> None:
    PaymentFactory()
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.lpush("celery", *GARBAGE)
        worker = start_worker(tmp_path, lease_seconds=60)
        try:
            wait_for(lambda: Payment.objects.filter(status="SUCCEEDED").exists())
            wait_for(lambda: not broker.llen("celery"))

            assert worker.process.poll() is None
        finally:
            worker.kill_group()
    said = (tmp_path / "stderr").read_text()
    assert said.count("broker.message_dropped") == 5
    assert "Unrecoverable" not in said


def test_channel_whose_connection_is_lost_closes_with_messages_in_hand(clean_redis: None) -> None:
    """kombu would put them back through a connection that is gone, and fail."""
    with Connection(settings.CELERY_BROKER_URL) as connection:
        channel = connection.channel()
        Producer(channel).publish("a bell", routing_key="celery", declare=[Queue("celery")])
        assert channel.basic_get("celery").body
        assert isinstance(channel, redis_broker.Channel)

        connection.transport.client = None  # as it leaves it when a new one could not be made
        channel.pool.disconnect()
        channel._pool = None
        channel.close()

        assert channel.closed


def test_messages_in_hand_go_back_while_there_is_a_connection(clean_redis: None) -> None:
    with Connection(settings.CELERY_BROKER_URL) as connection:
        channel = connection.channel()
        Producer(channel).publish("a bell", routing_key="celery", declare=[Queue("celery")])
        channel.basic_get("celery")

        channel.close()

        assert connection.channel().basic_get("celery").body
