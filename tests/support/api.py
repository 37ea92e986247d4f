"""A merchant's developer at the HTTP API, and what every answer must look like."""

import itertools
import json
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from config.express import ExpressLane

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


class WebHandler(ClientHandler):
    """Answers as config/wsgi.py does: what is plain and new before Django sees it."""

    def __init__(self) -> None:
        super().__init__(enforce_csrf_checks=False)
        self.lane = ExpressLane(lambda *_: [])

    def __call__(self, environ: dict[str, Any]) -> Any:
        environ.setdefault("HTTP_HOST", "testserver")
        found = self.lane.answer(environ)
        if found is None:
            return super().__call__(environ)
        body, headers = found
        response: Any = HttpResponse(body, status=202, headers=dict(headers))
        response.wsgi_request = WSGIRequest(environ)
        return response


class WebClient(Client):
    """A client of the application as it is served; errors are answers, as for a real one."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)
        self.handler = WebHandler()


class Api:
    """Speaks JSON to /api/v1 with one API key; every POST gets a fresh Idempotency-Key."""

    def __init__(self, secret: str | None) -> None:
        self.client = WebClient()
        self.authorization = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.keys = (f"key-{number}" for number in itertools.count(1))

    def get(self, path: str, **query: str) -> HttpResponse:
        return self.client.get(f"/api/v1{path}", query, headers=self.authorization)

    def post(
        self,
        path: str,
        body: Any,
        *,
        key: str | None = "fresh",
        content_type: str = "application/json",
    ) -> HttpResponse:
        """`body` is data, or text that is sent as it is; without a `key` the header is left out."""
        headers = dict(self.authorization)
        if key is not None:
            headers["Idempotency-Key"] = next(self.keys) if key == "fresh" else key
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.post(f"/api/v1{path}", sent, content_type=content_type, headers=headers)

    def pay(self, key: str | None = "fresh", **fields: Any) -> HttpResponse:
        """Ask for a payment of 100.00 EUR with these fields."""
        wish = {"amount": "100.00", "currency": "EUR", "source": "tok_visa", **fields}
        return self.post("/payments", wish, key=key)


def assert_problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """The answer is this refusal, as RFC 9457 writes it; returns its body."""
    body = json.loads(response.content)
    assert (response.status_code, body.get("code")) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    assert set(body) == PROBLEM_FIELDS
    assert body["type"] == f"https://tieout.dev/problems/{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["Request-Id"]
    return body
