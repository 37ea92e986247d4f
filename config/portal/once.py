"""Forms that come twice, by a double click or the back button, and do what they ask for once."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from rest_framework.renderers import JSONRenderer

from ledger.errors import Invalid
from payments import doorbell
from payments.answers import Answer
from payments.errors import IdempotencyMismatch
from payments.models import Merchant
from payments.services.idempotency import Asked, answer_once


class FormUsed(Invalid):
    code = "form_used"

    def __init__(self) -> None:
        super().__init__("This form was sent before, with other figures; open it anew.")


@dataclass(frozen=True, slots=True)
class Done:
    """What the API would answer, and the page that shows it."""

    shown: dict[str, Any]
    page: str


def done_once(
    request: HttpRequest,
    merchant: Merchant,
    *,
    route: str,
    key: str,
    said: dict[str, str],
    kind: doorbell.Kind,
    work: Callable[[], Done],
) -> str:
    """Do the work unless a form with this key did it before; the page that shows what was done.

    Whoever does this kind of work is told. Raises RequestInFlight while the first of two clicks is
    at it, and FormUsed if the form said something else before.
    """
    rang: list[bool] = []

    def answer() -> Answer:
        done = work()
        rang.append(True)
        return Answer(202, JSONRenderer().render(done.shown), done.page)

    words = json.dumps([request.path, said], sort_keys=True)
    asked = Asked(
        merchant=merchant,
        route=route,
        key=key,
        digest=hashlib.sha256(words.encode()).digest(),
        request_id=request.request_id,  # type: ignore[attr-defined]
    )
    try:
        answered = answer_once(asked, answer)
    except IdempotencyMismatch:
        raise FormUsed() from None
    if rang:
        doorbell.ring(kind)
    return answered.location
