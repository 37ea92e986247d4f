"""What the broker says of the messages in it. They are rings only: the rows are the queue."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from payments import doorbell
from payments.probes import Probe

PATIENCE_MILLISECONDS = 700


@dataclass(frozen=True, slots=True)
class BrokerState:
    """Counts are None when the broker did not say, or has no such thing."""

    name: str  # redis, amqp, sqs …
    queue: str
    url: str  # without user and password
    waiting_count: int | None = None
    in_flight_count: int | None = None
    delayed_count: int | None = None
    visibility_timeout: int | None = None  # seconds
    content_deduplication: bool | None = None

    @property
    def is_fifo(self) -> bool:
        """Whether messages leave in the order they came. Rows never do: many take them at once."""
        return self.queue.endswith(".fifo")


def broker_state() -> BrokerState:
    """The broker and the queue of the bells, answered within PATIENCE_MILLISECONDS."""
    try:
        return _probe.result()
    except Exception:  # whatever is wrong with it: its name is known
        return BrokerState(_name(), settings.CELERY_TASK_DEFAULT_QUEUE, _url())


def _ask() -> BrokerState:
    with doorbell.connect() as connection:
        if _name() == "sqs":
            return _sqs_state(connection.channel())
        return BrokerState(
            _name(), settings.CELERY_TASK_DEFAULT_QUEUE, _url(), _count_waiting(connection)
        )


def _count_waiting(connection: Any) -> int:
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    try:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:  # there is none before the first message
        return 0


def _sqs_state(channel: Any) -> BrokerState:
    queue = settings.CELERY_TASK_DEFAULT_QUEUE
    client = channel.sqs(queue=queue)
    url = settings.SQS_QUEUE_URL or client.get_queue_url(QueueName=queue)["QueueUrl"]
    said = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return BrokerState(
        "sqs",
        queue,
        url,
        waiting_count=int(said["ApproximateNumberOfMessages"]),
        in_flight_count=int(said["ApproximateNumberOfMessagesNotVisible"]),
        delayed_count=int(said["ApproximateNumberOfMessagesDelayed"]),
        visibility_timeout=int(said["VisibilityTimeout"]),
        content_deduplication=said.get("ContentBasedDeduplication") == "true",
    )


def _name() -> str:
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    return "redis" if scheme.startswith(("redis", "valkey")) else scheme


def _url() -> str:
    if _name() == "sqs" and settings.SQS_QUEUE_URL:
        return str(settings.SQS_QUEUE_URL)
    return re.sub("(?<=://)[^/]*@", "", settings.CELERY_BROKER_URL)


_probe = Probe(_ask, patience_milliseconds=PATIENCE_MILLISECONDS)
