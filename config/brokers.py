"""How Celery reaches its broker, by the scheme of its URL: Redis or Valkey, RabbitMQ, SQS."""

import re
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

FIFO = ".fifo"
SQS_DEFAULT_QUEUE = f"tieout{FIFO}"
DEFAULT_QUEUE = "celery"
HTTPS_PORT = 443
# How long a worker that found nothing leaves its request open at SQS, in whole seconds.
SQS_WAIT_SECONDS = 10
# No task runs longer; what a worker took and did not start is given to another one after it.
VISIBILITY_SECONDS = 300
PUBLISH_SECONDS = 1
_AWS_HOST = re.compile(r"sqs\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")

Options = dict[str, Any]


def is_sqs(url: str) -> bool:
    return urlsplit(url).scheme == "sqs"


def queue_name(url: str, sqs_queue_url: str) -> str:
    """The queue all bells go to. Of SQS it may be a queue there is; Celery knows it by its name."""
    if not is_sqs(url):
        return DEFAULT_QUEUE
    return sqs_queue_url.rstrip("/").rpartition("/")[2] or SQS_DEFAULT_QUEUE


def transport_options(url: str, sqs_queue_url: str, *, connect_seconds: float) -> Options:
    """What kombu is told about the broker. Raises ImproperlyConfigured for what cannot work."""
    scheme = urlsplit(url).scheme
    if scheme.startswith(("redis", "valkey")):
        return {
            "visibility_timeout": VISIBILITY_SECONDS,
            "socket_connect_timeout": connect_seconds,
            # Longer than a worker's blocking read of 1 s, shorter than anybody's patience.
            "socket_timeout": 5,
            "health_check_interval": 25,
            "unacked_restore_throttle": 1,
        }
    return _sqs_options(url, sqs_queue_url) if is_sqs(url) else {}


def _sqs_options(url: str, queue_url: str) -> Options:
    if not (find_spec("boto3") and find_spec("pycurl")):
        raise ImproperlyConfigured(
            "CELERY_BROKER_URL is sqs://: install requirements-sqs.txt on top of requirements.txt."
        )
    options: Options = {
        "visibility_timeout": VISIBILITY_SECONDS,
        "wait_time_seconds": SQS_WAIT_SECONDS,
        "polling_interval": 0.1,
    }
    address = urlsplit(url)
    if address.hostname:
        # A server that speaks SQS, or an endpoint of a private network.
        options["is_secure"] = address.port in (None, HTTPS_PORT)
    if queue_url:
        options["predefined_queues"] = {queue_name(url, queue_url): {"url": queue_url}}
        if found := _AWS_HOST.match(urlsplit(queue_url).hostname or ""):
            options["region"] = found["region"]
    return options


def publishing_options(url: str, *, connect_seconds: float) -> Options:
    """On top of them, for whoever rings: he does not wait for a broker that hangs."""
    scheme = urlsplit(url).scheme
    if scheme.startswith(("redis", "valkey")):
        return {"socket_timeout": connect_seconds}
    if scheme == "sqs":
        patience = {"connect_timeout": connect_seconds, "read_timeout": PUBLISH_SECONDS}
        return {"client-config": {**patience, "retries": {"total_max_attempts": 1}}}
    if scheme.startswith(("amqp", "pyamqp")):
        return {"read_timeout": PUBLISH_SECONDS, "write_timeout": PUBLISH_SECONDS}
    return {}
