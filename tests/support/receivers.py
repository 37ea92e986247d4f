"""Servers on this machine that webhooks are sent to, and that behave as a test says."""

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from ledger.actors import Actor
from payments.events import Fact, tell
from payments.models import Event, Merchant, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_endpoints import EndpointWish, create_endpoint

ACTOR = Actor.system("tests")


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float = field(default_factory=time.monotonic)


Script = Callable[[socket.socket, Received], None]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Script:
    """Answer so; `retry_after="5"` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    def script(connection: socket.socket, _: Received) -> None:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return script


class Receiver:
    """Keeps what it got; `script` answers it, or the next of `scripts` if there is one."""

    def __init__(self, script: Script) -> None:
        self.script, self.scripts = script, list[Script]()
        self.received: list[Received] = []
        self.at_once = self.at_once_max = 0
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.received]

    def serve(self, connection: socket.socket) -> None:
        request = read_request(connection)
        if request is None:
            return
        with self.lock:
            self.received.append(request)
            self.at_once += 1
            self.at_once_max = max(self.at_once_max, self.at_once)
            script = self.scripts.pop(0) if self.scripts else self.script
        try:
            with suppress(OSError):
                script(connection, request)
        finally:
            with self.lock:
                self.at_once -= 1

    def hang(self, connection: socket.socket, _: Received) -> None:
        """Say nothing until the test is over."""
        self.closing.wait(60)


def read_request(connection: socket.socket) -> Received | None:
    text = b""
    while b"\r\n\r\n" not in text:
        more = connection.recv(65_536)
        if not more:
            return None
        text += more
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    return Received(first.split(" ")[1], headers, body)


def resolver(**answers: list[str]) -> Callable[..., list[Any]]:
    """In the place of `socket.getaddrinfo`: names and their addresses; numbers are as they are."""

    def look_up(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        if host in answers:
            return [
                (
                    socket.AF_INET6 if ":" in each else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (each, port),
                )
                for each in answers[host]
            ]
        return _real_look_up(host, port, *arguments, **{"flags": socket.AI_NUMERICHOST} | options)

    return look_up


_real_look_up = socket.getaddrinfo


@contextmanager
def receiver(
    script: Script | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """One that answers 200 unless told otherwise."""
    receiving = Receiver(script or answer())

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                if tls:
                    self.request = tls.wrap_socket(self.request, server_side=True)
                receiving.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        receiving.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        try:
            yield receiving
        finally:
            receiving.closing.set()
            server.shutdown()


def listening(
    merchant: Merchant | None, url: str, *event_types: str, **fields: Any
) -> tuple[WebhookEndpoint, str]:
    """An endpoint that wants everything unless said otherwise, and its secret."""
    wish = EndpointWish(url=url, event_types=list(event_types) or ["*"])
    endpoint, secret = create_endpoint(merchant, wish, actor=ACTOR)
    if fields:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
        endpoint.refresh_from_db()
    return endpoint, secret


def happen(merchant: Merchant, count: int = 1, *, kind: str = "payment.succeeded") -> list[Event]:
    """So many things happen to payments of the merchant."""
    before = Event.objects.order_by("-id").values_list("pk", flat=True).first() or 0
    facts = [
        Fact(kind, f"thing_{before}_{number}", merchant.pk, {"amount": "100.00", "number": number})
        for number in range(count)
    ]
    tell(facts, at=timezone.now())
    return list(Event.objects.filter(pk__gt=before).order_by("pk"))


def deliveries(endpoint: WebhookEndpoint, **fields: Any) -> int:
    return WebhookDelivery.objects.filter(endpoint=endpoint, **fields).count()
