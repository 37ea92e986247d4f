"""What is derived from CELERY_BROKER_URL."""

import importlib.util

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import brokers

FIFO_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/pay.fifo"


@pytest.mark.parametrize(
    ("url", "queue_url", "name"),
    [
        ("redis://cache.example.com/0", "", "celery"),
        ("amqp://mq.example.com//", "", "celery"),
        ("sqs://", "", "tieout.fifo"),
        ("sqs://", FIFO_URL, "pay.fifo"),
        ("redis://cache.example.com/0", FIFO_URL, "celery"),
    ],
)
def test_queue_has_the_name_its_broker_knows(url: str, queue_url: str, name: str) -> None:
    assert brokers.queue_name(url, queue_url) == name


def test_queue_of_aws_is_asked_in_its_region() -> None:
    options = brokers.transport_options("sqs://", FIFO_URL, connect_seconds=0.25)

    assert options["region"] == "eu-central-1"
    assert options["predefined_queues"] == {"pay.fifo": {"url": FIFO_URL}}
    assert "is_secure" not in options


@pytest.mark.parametrize(
    ("url", "is_secure"),
    [
        ("sqs://key:secret@127.0.0.1:5000//", False),
        ("sqs://key:secret@vpce-1.sqs.eu-central-1.vpce.amazonaws.com:443//", True),
        ("sqs://key:secret@vpce-1.sqs.eu-central-1.vpce.amazonaws.com//", True),
    ],
)
def test_server_that_speaks_sqs_is_asked_without_tls_by_its_port(url: str, is_secure: bool) -> None:
    options = brokers.transport_options(url, "", connect_seconds=0.25)

    assert options["is_secure"] is is_secure


@pytest.mark.parametrize("missing", ["boto3", "pycurl"])
def test_sqs_without_its_packages_is_refused(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(brokers, "find_spec", lambda name: None if name == missing else find(name))

    with pytest.raises(ImproperlyConfigured, match="install requirements-sqs"):
        brokers.transport_options("sqs://", "", connect_seconds=0.25)


def test_rabbitmq_gets_no_option_of_another_broker() -> None:
    url = "amqp://mq.example.com//"

    assert brokers.transport_options(url, "", connect_seconds=0.25) == {}
    assert set(brokers.publishing_options(url, connect_seconds=0.25)) == {
        "read_timeout",
        "write_timeout",
    }
