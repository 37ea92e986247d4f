"""A server on this machine that answers as Stripe does, and misbehaves on request."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.stripe_account import StripeAccount, problem

SECRET_KEY = "sk_test_of_the_local_server"
WEBHOOK_SECRET = "whsec_of_the_local_server"


def nested(text: str) -> dict[str, Any]:
    """`a[b]=c` as {"a": {"b": "c"}}."""
    fields: dict[str, Any] = {}
    for name, value in parse_qsl(text):
        outer, _, inner = name.partition("[")
        if inner:
            fields.setdefault(outer, {})[inner.rstrip("]")] = value
        else:
            fields[outer] = value
    return fields


class _Handler(BaseHTTPRequestHandler):
    stripe: StripeAccount

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._serve(text)

    def do_GET(self) -> None:
        self._serve("")

    def _serve(self, text: str) -> None:
        server, url = self.stripe, urlsplit(self.path)
        with server.lock:
            server.calls.append(f"{self.command} {url.path}")
            server.at_once += 1
            server.at_once_max = max(server.at_once_max, server.at_once)
            trouble = server.trouble.pop() if self.command == "POST" and server.trouble else ""
        time.sleep(server.pause_seconds)
        with server.lock:
            server.at_once -= 1
        self._answer(trouble, url.path.split("/")[2:], nested(text), nested(url.query))

    def _answer(self, trouble: str, path: list[str], form: Any, query: Any) -> None:
        server, is_replay = self.stripe, False
        if self.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            return self._send(401, problem("invalid_request_error", None, "Invalid API Key."))
        if trouble == "429":
            return self._send(429, problem("invalid_request_error", "rate_limit", "Too many."))
        if trouble == "hang_before":
            server.released.wait(20)
            return None
        if trouble == "reset_before":
            return self.connection.close()
        with server.lock:
            if self.command == "POST":
                key = self.headers.get("Idempotency-Key", "")
                server.keys.append(key)
                status, body, is_replay = server.post(path, form, key, trouble)
            else:
                status, body = server.get(path, query)
        if trouble == "hang_after":
            server.released.wait(20)
        if trouble == "reset_after":
            return self.connection.close()
        if trouble == "500_after":
            return self._send(500, problem("api_error", None, "Something went wrong."))
        if trouble == "malformed":
            return self._send(200, b'{"id": "pi_')
        if "error" not in body and "data" not in body:
            body = body | server.changes
        return self._send(status, body, is_replay=is_replay)

    def _send(self, status: int, body: Any, *, is_replay: bool = False) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if is_replay:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def local_stripe() -> Iterator[StripeAccount]:
    stripe = StripeAccount()
    handler = type("Handler", (_Handler,), {"stripe": stripe})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stripe.base = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield stripe
    finally:
        stripe.released.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def stripe_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeAccount]:
    """Gateway `stripe` talks to it."""
    with local_stripe() as stripe:
        monkeypatch.setenv("GATEWAY_STRIPE_SECRET_KEY", SECRET_KEY)
        monkeypatch.setenv("GATEWAY_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        monkeypatch.setenv("GATEWAY_STRIPE_API_BASE", stripe.base)
        yield stripe
