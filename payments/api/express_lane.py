"""New payments without detours: one reading of the request, one statement, one round trip.

Takes only requests that are plainly right and plainly new. Everything else, from a misspelt field
to a repeated key, goes the ordinary way, which alone says what is wrong; a test holds both ways to
the same outcome for any request. config/express.py has what all answers have around them.
"""

import logging
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError
from rest_framework.exceptions import APIException

from ledger.actors import Actor
from ledger.errors import DomainError
from payments import answers, doorbell
from payments.answers import Answer
from payments.api.authentication import may_be_key
from payments.api.conventions import read_json
from payments.api.idempotency import checked_key, digest_of_asked
from payments.api.payment_shapes import (
    PAYMENTS_PATH,
    location_of,
    plain_wish,
    render_new_payment,
)
from payments.key_format import digest_of as digest_of_key
from payments.models import ApiKey
from payments.services.api_keys import note_key_use
from payments.services.payments import CREATE_PAYMENT, Draft, draft_of
from payments.services.writing_together import write_together

KEYS_MAX = 10_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is plainly right: the payment and its answer, and with whose key."""

    api_key: ApiKey
    draft: Draft


def read_asked(secret: str, key: str, body: bytes, *, request_id: str) -> Asked | None:
    """What `POST /payments` asks for; None if the request has to go the ordinary way.

    `secret` is that of an API key, `key` the Idempotency-Key.
    """
    digest = digest_of_key(secret)
    try:
        api_key = _keys.get(digest) or _look_up(secret, digest)
        asked = read_json(body)
        wish = plain_wish(asked)
        if wish is None or "idempotency_key" in asked:
            return None
        payment = draft_of(
            api_key.merchant,
            wish,
            idempotency_key=checked_key(key),
            actor=Actor("api_key", api_key.public_id, api_key.name),
        )
    except (ApiKey.DoesNotExist, APIException, DomainError, OperationalError, InterfaceError):
        return None
    answer = Answer(
        202,
        render_new_payment(payment),
        location_of(payment),
        digest_of_asked(PAYMENTS_PATH, body),
        request_id,
    )
    return Asked(api_key, Draft(payment, answer, digest))


def take(asked: Asked) -> Answer | None:
    """Write the payment down; None if the request has to go the ordinary way."""
    api_key, payment, answer = asked.api_key, asked.draft.payment, asked.draft.answer
    if not write_together(api_key.merchant, asked.draft):
        return None
    answers.remember(api_key.merchant, CREATE_PAYMENT, payment.idempotency_key, answer)
    doorbell.ring(doorbell.Kind.PAYMENTS)
    try:
        note_key_use(api_key)
    except (DatabaseError, InterfaceError):  # the payment is taken, and that is what counts
        logger.exception("express_lane.key_use_not_noted")
    return answer


# Whose key it is, by its digest: that never changes. Whether it still counts, the statement says.
_keys: dict[str, ApiKey] = {}


def _look_up(secret: str, digest: str) -> ApiKey:
    if not may_be_key(secret):
        raise ApiKey.DoesNotExist
    if len(_keys) >= KEYS_MAX:
        _keys.clear()
    return _keys.setdefault(digest, ApiKey.objects.select_related("merchant").get(digest=digest))
