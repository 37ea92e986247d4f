"""One request to an endpoint: to a vetted address, within a time that nobody can stretch.

It follows no redirect, reads no proxy variable, unpacks nothing, and reads little of the answer.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cache
from typing import Any

import httpcore
import httpx
from django.conf import settings
from django.utils import timezone

from payments.models.webhooks import ANSWER_LENGTH_MAX
from payments.webhook_urls import (
    EndpointUrlRefused,
    NameNotFound,
    Target,
    allowed_addresses,
    target_of,
)

CONNECT_SECONDS = 3
CALL_SECONDS = 15  # from looking the name up to the last byte
ANSWER_BYTES_MAX = 8 * 1024
READ_BYTES_MAX = 64 * 1024  # with headers, and whatever announces an answer that never comes
RETRY_AFTER_SECONDS_MAX = 24 * 3600
GONE = 410
SLOW_DOWN = (429, 502, 504)

Connection = httpcore.HTTPConnection | httpcore.ConnectionPool

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Problem(StrEnum):
    """Why an attempt was none, or was not taken."""

    STATUS = "status"  # answered, and not with 2xx
    REDIRECT = "redirect"  # answered with 3xx, which is not followed
    TIMEOUT = "timeout"
    NAME = "name_not_found"
    REFUSED = "url_refused"  # by us: it does not lead to the public internet
    CONNECT = "not_connected"
    TLS = "tls"
    BROKEN = "broken"  # cut short, or not HTTP


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request; `problem` is empty if it was answered with 2xx."""

    asked_at: datetime
    milliseconds: int
    status_code: int | None = None
    problem: str = ""
    text: str = ""  # the start of the body, readable
    retry_after_seconds: int = 0

    @property
    def is_too_much(self) -> bool:
        """Whether fewer requests at once may help."""
        return self.status_code in SLOW_DOWN or self.problem == Problem.TIMEOUT


def call(url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
    """POST the body once. Raises nothing that the other side can cause."""
    asked_at, started = timezone.now(), time.monotonic_ns()
    code, text, wait, problem = None, "", 0, ""
    try:
        target = target_of(url)
        with _connection(target) as connection, _sent(connection, target, headers, body) as answer:
            code = answer.status
            wait = _retry_after(answer, asked_at)
            problem = _problem_of(code)
            text = _start_of(answer)
    except EndpointUrlRefused:
        problem = Problem.REFUSED
    except NameNotFound:
        problem = Problem.NAME
    except (TimeoutError, httpcore.TimeoutException):
        problem = Problem.TIMEOUT
    except ssl.SSLError:
        problem = Problem.TLS
    except (httpcore.ConnectError, httpcore.ProxyError):
        problem = Problem.CONNECT
    except (OSError, httpcore.NetworkError, httpcore.ProtocolError):
        problem = Problem.BROKEN
    milliseconds = (time.monotonic_ns() - started) // 1_000_000
    return Answer(asked_at, milliseconds, code, problem, text, wait)


@contextmanager
def _connection(target: Target) -> Iterator[Connection]:
    proxy = settings.WEBHOOK_EGRESS_PROXY
    backend = Network(time.monotonic() + CALL_SECONDS, target=None if proxy else target)
    if proxy:
        with httpcore.HTTPProxy(
            proxy, ssl_context=_tls(), max_keepalive_connections=0, network_backend=backend
        ) as through:
            yield through
        return
    origin = httpcore.Origin(target.scheme.encode(), target.host.encode(), target.port)
    with httpcore.HTTPConnection(origin, ssl_context=_tls(), network_backend=backend) as direct:
        yield direct


def _sent(
    connection: Connection,
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
) -> Any:
    return connection.stream(
        "POST",
        httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        ),
        headers=[
            ("Host", target.host_header),
            ("User-Agent", "Tieout-Webhooks/1"),
            ("Content-Type", "application/json"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
            *headers.items(),
        ],
        content=body,
    )


@cache
def _tls() -> ssl.SSLContext:
    """With the usual authorities, or those of SSL_CERT_FILE."""
    return httpx.create_ssl_context()


def _problem_of(status: int) -> str:
    if status // 100 == 2:
        return ""
    return Problem.REDIRECT if status // 100 == 3 else Problem.STATUS


def _start_of(answer: httpcore.Response) -> str:
    """What came of the body in time: the status has decided already."""
    read = bytearray()
    try:
        for chunk in answer.iter_stream():
            read += chunk
            if len(read) >= ANSWER_BYTES_MAX:
                break
    except (OSError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    text = read[:ANSWER_BYTES_MAX].decode(errors="replace")[:ANSWER_LENGTH_MAX]
    return _CONTROLS.sub("\ufffd", text)


def _retry_after(answer: httpcore.Response, now: datetime) -> int:
    """Seconds, of a number of them or of a date (RFC 9110, 10.2.3); 0 if it says nothing."""
    said = [value for name, value in answer.headers if name.lower() == b"retry-after"]
    text = said[0].decode("latin-1").strip() if said else ""
    if text.isascii() and text.isdecimal():
        seconds = int(text[:9])
    else:
        try:
            seconds = int((parsedate_to_datetime(text) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            seconds = 0
    return max(0, min(seconds, RETRY_AFTER_SECONDS_MAX))


class Network(httpcore.NetworkBackend):
    """Connects to the target's vetted addresses only; without a target, to the proxy of ours."""

    def __init__(self, over_at: Any, *, target: Target | None) -> None:
        self.over_at, self.target = over_at, target

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        connect_by = min(self.over_at, time.monotonic() + CONNECT_SECONDS)
        addresses = (
            [str(each) for each in allowed_addresses(self.target)] if self.target else [host]
        )
        problem: OSError = OSError("It has no address.")
        for number, address in enumerate(addresses):
            left = connect_by - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                # Those that come after this one get their share of the time.
                sock = socket.create_connection((address, port), left / (len(addresses) - number))
            except OSError as error:
                problem = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Stream(sock, self.over_at)
        if isinstance(problem, TimeoutError):
            raise problem
        raise httpcore.ConnectError(str(problem))


class Stream(httpcore.NetworkStream):
    """A socket of which no more is read than its share, and nothing awaited beyond its time."""

    def __init__(self, sock: socket.socket, over_at: Any) -> None:
        self.sock, self.over_at = sock, over_at
        self.left_bytes = READ_BYTES_MAX

    def read(self, max_bytes: int, timeout: Any = None) -> bytes:
        self._await()
        if not self.left_bytes:
            raise httpcore.ReadError("It says too much.")
        try:
            chunk = self.sock.recv(min(max_bytes, self.left_bytes))
        except TimeoutError:
            raise
        except OSError as problem:
            raise httpcore.ReadError(str(problem)) from problem
        self.left_bytes -= len(chunk)
        return chunk

    def write(self, buffer: bytes, timeout: Any = None) -> None:
        rest = memoryview(buffer)
        while rest:
            self._await()
            try:
                rest = rest[self.sock.send(rest) :]
            except TimeoutError:
                raise
            except OSError as problem:  # it may have answered already
                raise httpcore.WriteError(str(problem)) from problem

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: Any = None
    ) -> httpcore.NetworkStream:
        self._await()
        try:
            self.sock = ssl_context.wrap_socket(self.sock, server_hostname=server_hostname)
        except OSError:
            self.close()
            raise
        return self

    def close(self) -> None:
        self.sock.close()

    def get_extra_info(self, info: str) -> Any:
        return self.sock if info == "socket" else None

    def _await(self) -> None:
        """The next operation may take what is left of the time."""
        left = self.over_at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
