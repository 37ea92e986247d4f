"""A merchant's developer at the HTTP API, and what every answer must look like."""

import itertools
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

PROBLEM_FIELDS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


class Api:
    """Speaks JSON to /api/v1 with one API key; every POST gets a fresh Idempotency-Key."""

    def __init__(self, secret: str | None) -> None:
        # Errors are answers here, as they are for a real client.
        self.client = Client(raise_request_exception=False)
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
