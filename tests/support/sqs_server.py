"""A server that speaks Amazon SQS, of a test's own."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.support.servers import Child, wait_for

REGION = "eu-central-1"


class SqsServer:
    """Its queues are forgotten with it. `url` is for CELERY_BROKER_URL."""

    def __init__(self, folder: Path) -> None:
        with closing(socket.socket()) as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        folder.mkdir()
        program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = Child(program, folder)
        self.url = f"sqs://key:secret@127.0.0.1:{self.port}//"
        self.client: Any = boto3.client(
            "sqs",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name=REGION,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        )
        wait_for(self.answers)

    def answers(self) -> bool:
        with closing(socket.socket()) as there:
            return there.connect_ex(("127.0.0.1", self.port)) == 0

    def create_fifo_queue(self, name: str) -> str:
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "300"}
        return str(self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def waiting(self, queue_url: str) -> int:
        said = self.client.get_queue_attributes(
            QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(said["Attributes"]["ApproximateNumberOfMessages"])


@contextmanager
def sqs_server(folder: Path) -> Iterator[SqsServer]:
    os.environ["AWS_DEFAULT_REGION"] = REGION
    server = SqsServer(folder / "sqs")
    try:
        yield server
    finally:
        server.process.kill_group()
        del os.environ["AWS_DEFAULT_REGION"]
