"""Idempotency at the HTTP edge: `return once(request, "create_refund", lambda: Done(202, …))`.

Follows draft-ietf-httpapi-idempotency-key-header; docs/api.md has the contract.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from ledger.errors import Invalid
from payments import doorbell
from payments.answers import Answer
from payments.api.authentication import caller_of
from payments.api.conventions import refuse_card_number
from payments.services.idempotency import Asked, answer_once

# Printable ASCII without the comma: two header lines arrive joined by one.
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,255}")
KEY_SCHEMA = {
    "type": "string",
    "pattern": r"^[\x21-\x2b\x2d-\x7e]+$",
    "minLength": 1,
    "maxLength": 255,
    "examples": ["order-1234"],
}
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    KEY_SCHEMA,
    OpenApiParameter.HEADER,
    required=True,
    description="Yours; with or without quotes. The body's `idempotency_key` does as well.",
)


class MissingIdempotencyKey(Invalid):
    code = "idempotency_key_missing"

    def __init__(self) -> None:
        super().__init__("Send one Idempotency-Key header: any text of yours, 1 to 255 characters.")


class InvalidIdempotencyKey(Invalid):
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__(
            "An idempotency key is one text of 1 to 255 printable ASCII characters without spaces"
            " and commas."
        )


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, as it is answered now and whenever it is asked again; `body` is JSON."""

    status: int
    body: bytes
    location: str = ""
    ring: doorbell.Kind | None = None


def once(request: Request, route: str, work: Callable[[], Done]) -> HttpResponse:
    """Carry out the work once per merchant, route and key; answer alike every time.

    The work runs in one transaction with the key and the answer; a refusal it raises leaves the key
    free. Raises MissingIdempotencyKey, InvalidIdempotencyKey, IdempotencyMismatch, RequestInFlight.
    """
    rings: list[doorbell.Kind] = []

    def answer() -> Answer:
        done = work()
        if done.ring is not None:
            rings.append(done.ring)
        return Answer(done.status, done.body, done.location)

    asked = Asked(
        merchant=caller_of(request).merchant,
        route=route,
        key=idempotency_key(request),
        digest=digest_of(request._request),
        request_id=request._request.request_id,  # type: ignore[attr-defined]
    )
    answered = answer_once(asked, answer)
    for kind in rings:
        doorbell.ring(kind)
    return response_of(answered)


def response_of(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json")
    if answer.location:
        response["Location"] = answer.location
    if answer.is_replay:
        response["Idempotent-Replayed"] = "true"
        response["Original-Request-Id"] = answer.request_id
    return response


def digest_of(request: HttpRequest) -> bytes:
    return digest_of_asked(request.get_full_path(), request.body)


def digest_of_asked(path: str, body: bytes) -> bytes:
    """SHA-256 of what was asked: the path, its query and the raw body."""
    return hashlib.sha256(path.encode() + b"\n" + body).digest()


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key header or the body's `idempotency_key`, without quotes around it."""
    header = request.headers.get("Idempotency-Key")
    field = request.data.get("idempotency_key") if isinstance(request.data, dict) else None
    if header is None and field is None:
        raise MissingIdempotencyKey()
    keys = {checked_key(key) for key in (header, field) if key is not None}
    if len(keys) > 1:
        raise InvalidIdempotencyKey()
    return keys.pop()


def checked_key(key: Any) -> str:
    """The key without quotes around it. Raises InvalidIdempotencyKey, CardNumberRefused."""
    if isinstance(key, str) and len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey()
    refuse_card_number(key)
    return key
