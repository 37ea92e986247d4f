"""New payments without detours: one reading of the request, one statement, one round trip.

Takes only requests that are plainly right and plainly new. Everything else, from a misspelt field
to a repeated key, goes the ordinary way, which alone says what is wrong; a test holds both ways to
the same outcome for any request.
"""

from functools import lru_cache

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer

from ledger.actors import Actor
from ledger.errors import DomainError
from payments import answers, doorbell
from payments.answers import Answer
from payments.api.authentication import may_be_key
from payments.api.conventions import read_json
from payments.api.idempotency import checked_key, digest_of, response_of
from payments.api.payment_shapes import location_of, plain_wish
from payments.key_format import digest_of as digest_of_key
from payments.models import ApiKey
from payments.representations import represent_payment
from payments.services.api_keys import note_key_use
from payments.services.payments import (
    CREATE_PAYMENT,
    Draft,
    create_payments,
    draft_of,
)

BODY_BYTES_MAX = 16_384


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
        asked = read_json(request.body)
        wish = plain_wish(asked)
        if wish is None or "idempotency_key" in asked:
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
