"""Anybody who reaches Redis can put anything into our queue: workers drop it and go on."""

from pathlib import Path

import pytest
import redis
from django.conf import settings

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
