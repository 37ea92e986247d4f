"""Messages of gateways: kept as they came, answered at once, acted on by the worker, once."""

import json
import logging
import re
import time
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import DomainError, Invalid, NotFound
from ledger.services import audit
from ledger.states import move
from payments.errors import NoGateway
from payments.gateways import door_of
from payments.gateways.environment import GatewaySecretMissing, secret_of
from payments.gateways.signatures import SignatureRefused, check_signature
from payments.models import Gateway, GatewayEvent
from payments.services.engine import Trade, work_off_batch
from payments.services.gateway_news import Later, Verdict, act_on, look_again_at

logger = logging.getLogger(__name__)

EVENTS_PER_BATCH = 100
EVENT_BYTES_MAX = 256 * 1024
RESULT_LENGTH_MAX = 255
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,120}")
_KIND = re.compile(r"[\x21-\x7e]{1,80}")


class GatewayNotFound(NotFound):
    code = "gateway_not_found"

    def __init__(self) -> None:
        super().__init__("No gateway of this code sends messages.")


class GatewayEventInvalid(Invalid):
    code = "gateway_event_invalid"

    def __init__(self) -> None:
        super().__init__("A message is a JSON object with an id and a type, of at most 256 kB.")


def receive_message(code: str, *, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep a signed message, due at once; returns whether it is new.

    Raises GatewayNotFound, SignatureRefused and GatewayEventInvalid; then nothing is kept.
    """
    gateway = Gateway.objects.filter(code=code).first()
    if gateway is None or len(body) > EVENT_BYTES_MAX:
        raise GatewayNotFound() if gateway is None else GatewayEventInvalid()
    _check_sender(gateway, headers, body)
    message = _parsed(body)
    event = GatewayEvent(
        gateway=gateway,
        event_id=message["id"],
        kind=message["type"],
        body=body,
        due_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError as refusal:
        if "payments_gatewayevent_once" in str(refusal):
            return False
        raise
    return True


def _check_sender(gateway: Gateway, headers: Mapping[str, str], body: bytes) -> None:
    try:
        header = door_of(gateway).signature_header
    except NoGateway:
        raise GatewayNotFound() from None
    try:
        secret = secret_of(gateway.code, "WEBHOOK_SECRET")
    except GatewaySecretMissing as problem:
        logger.error("gateway_event.refused: %s", problem)
        raise SignatureRefused() from None
    check_signature(headers.get(header, ""), body, secret=secret, now=int(time.time()))


def _parsed(body: bytes) -> dict:
    try:
        message = json.loads(body)
        names = _EVENT_ID.fullmatch(message["id"]), _KIND.fullmatch(message["type"])
    except (ValueError, RecursionError, KeyError, TypeError):
        raise GatewayEventInvalid() from None
    if not all(names):
        raise GatewayEventInvalid()
    return message


def process_gateway_events(limit: int = EVENTS_PER_BATCH) -> int:
    """Act on one batch of due events; returns how many it took."""
    return work_off_batch(GATEWAY_EVENTS, limit=limit)


def _act_on_events(held: list[GatewayEvent], _: None) -> None:
    for event in held:
        verdict = _verdict_on(event)
        if isinstance(verdict, Later) and event.attempts >= verdict.attempts_max:
            verdict = Verdict(verdict.at_last, verdict.why)
        event.result = verdict.why[:RESULT_LENGTH_MAX]
        if isinstance(verdict, Later):
            event.due_at = look_again_at(event.attempts, now=timezone.now())
        else:
            move(event, verdict.status)
            event.due_at, event.processed_at = None, timezone.now()
        event.holder = None
        event.save(update_fields=["status", "result", "due_at", "holder", "processed_at"])
        if event.status == GatewayEvent.Status.FAILED:
            logger.error("gateway_event.failed: %s: %s", event, event.result)


GATEWAY_EVENTS = Trade(GatewayEvent, find=lambda claimed: None, write=_act_on_events, at_once=1)


def _verdict_on(event: GatewayEvent) -> Verdict | Later:
    try:
        news = door_of(event.gateway).read(json.loads(bytes(event.body)))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, DomainError) as error:
        why = f"Not as documented: {type(error).__name__} {error}."
        return Verdict(GatewayEvent.Status.FAILED, why)
    return act_on(event.gateway, news)


@transaction.atomic
def settle_gateway_event(event: GatewayEvent, *, actor: Actor, reason: str) -> GatewayEvent:
    """A person has dealt with a FAILED event. Raises InvalidTransition and ReasonMissing."""
    held = GatewayEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
    subject = f"{held.gateway.code}:{held.event_id}"[:80]
    before = {"status": held.status, "result": held.result}
    move(held, GatewayEvent.Status.PROCESSED)
    held.save(update_fields=["status"])
    audit.record(
        "gateway_event.settled", subject, actor=actor, reason=audit.required(reason), before=before
    )
    return held
