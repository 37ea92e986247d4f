"""New payments without detours: one reading of the request, one statement, one round trip.

Takes only requests that are plainly right and plainly new. Everything else, from a misspelt field
to a repeated key, goes the ordinary way, which alone says what is wrong; a test holds both ways to
the same outcome for any request. config/express.py has what all answers have around them.
"""

import logging

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
from payments.services.payments import CREATE_PAYMENT, Draft, PaymentWish, draft_of
from payments.services.writing_together import write_together

KEYS_MAX = 10_000

logger = logging.getLogger(__name__)


def read_wish(body: bytes) -> PaymentWish | None:
    """What a `POST /payments` asks for, if it plainly does; asks nobody else."""
    try:
        asked = read_json(body)
    except (APIException, DomainError):
        return None
    wish = plain_wish(asked)
    return None if wish is None or "idempotency_key" in asked else wish


def take(
    wish: PaymentWish, body: bytes, *, secret: str, key: str, request_id: str
) -> Answer | None:
    """Write the payment down and answer; None if the request has to go the ordinary way.

    `secret` is that of an API key, `key` the Idempotency-Key.
    """
    digest = digest_of_key(secret)
    try:
        api_key = _keys.get(digest) or _look_up(secret, digest)
        payment = draft_of(
            api_key.merchant,
            wish,
            idempotency_key=checked_key(key),
            actor=Actor("api_key", api_key.public_id, api_key.name),
        )
    except (ApiKey.DoesNotExist, DomainError, OperationalError, InterfaceError):
        return None
    answer = Answer(
        202,
        render_new_payment(payment),
        location_of(payment),
        digest_of_asked(PAYMENTS_PATH, body),
        request_id,
    )
    if not write_together(api_key.merchant, Draft(payment, answer, digest)):
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
