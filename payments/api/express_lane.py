"""New payments without detours: one reading of the request, one statement, one round trip.

Takes only requests that are plainly right and plainly new. Everything else, from a misspelt field
to a repeated key, goes the ordinary way, which alone says what is wrong; a test holds both ways to
the same outcome for any request.
"""

import re
from functools import lru_cache
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from ledger.actors import Actor
from ledger.errors import DomainError
from ledger.money import Money
from payments import answers, doorbell
from payments.answers import Answer
from payments.api.authentication import may_be_key
from payments.api.conventions import read_json
from payments.api.idempotency import checked_key, digest_of, response_of
from payments.api.payment_shapes import location_of, represent_payment
from payments.key_format import digest_of as digest_of_key
from payments.models import ApiKey
from payments.services.api_keys import note_key_use
from payments.services.payments import (
    CREATE_PAYMENT,
    Draft,
    PaymentWish,
    create_payments,
    draft_of,
)

BODY_BYTES_MAX = 16_384
FIELDS = {"amount", "currency", "source", "description", "reference", "metadata"}
REQUIRED = {"amount", "currency", "source"}
# Neither trimmed nor refused anywhere.
PLAIN = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def take_express_lane(request: HttpRequest) -> HttpResponse | None:
    """The answer to a plain new payment; None if the request has to go the ordinary way."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    key = request.headers.get("Idempotency-Key", "")
    if (
        scheme != "Bearer"
        or not key
        or not may_be_key(secret)
        or request.META.get("QUERY_STRING")
        or request.content_type != "application/json"
    ):
        return None
    digest = digest_of_key(secret)
    try:
        api_key = _key(digest)
        if len(request.body) > BODY_BYTES_MAX:
            return None
        wish = _plain_wish(read_json(request.body))
        if wish is None:
            return None
        payment = draft_of(
            merchant := api_key.merchant,
            wish,
            idempotency_key=checked_key(key),
            actor=Actor("api_key", api_key.public_id, api_key.name),
        )
    except (ApiKey.DoesNotExist, APIException, DomainError, RequestDataTooBig):
        return None
    answer = Answer(
        202,
        JSONRenderer().render(represent_payment(payment)),
        location_of(payment),
        digest_of(request),
        request.request_id,  # type: ignore[attr-defined]
    )
    draft = Draft(payment, answer.digest, answer.request_id, answer.location, answer.body)
    # The statement finds out itself; asking first would be a second round trip.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        if not create_payments(merchant, [draft], api_key_digest=digest):
            return None
    except IntegrityError:  # somebody took the reference since the statement looked
        return None
    except OperationalError:  # whether it was written, the ordinary way finds out by the key
        connection.close()
        return None
    note_key_use(api_key)
    answers.remember(merchant, CREATE_PAYMENT, payment.idempotency_key, answer)
    doorbell.ring(doorbell.Kind.PAYMENTS)
    return response_of(answer)


@lru_cache(maxsize=10_000)
def _key(digest: str) -> ApiKey:
    """Whose key it is: that never changes. Whether it still counts, the statement looks up."""
    return ApiKey.objects.select_related("merchant").get(digest=digest)


def _plain_wish(data: Any) -> PaymentWish | None:
    if type(data) is not dict or not REQUIRED <= data.keys() <= FIELDS:
        return None
    texts = {name: data.get(name, "") for name in ("source", "description", "reference")}
    metadata = data.get("metadata", {})
    is_plain = (
        type(data["amount"]) is str
        and type(data["currency"]) is str
        and _is_plain(texts["source"], 80)
        and (texts["description"] == "" or _is_plain(texts["description"], 255))
        and (texts["reference"] == "" or _is_plain(texts["reference"], 80))
        and metadata == {}
    )
    if not is_plain:
        return None
    money = Money.of(data["amount"], data["currency"])
    return PaymentWish(money=money, **texts) if money.amount > 0 else None


def _is_plain(text: Any, length_max: int) -> bool:
    return type(text) is str and len(text) <= length_max and PLAIN.fullmatch(text) is not None
