"""Deliveries of events: made when due, asked for again by people, given up."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.errors import Conflict, Invalid
from ledger.services import audit
from ledger.states import move
from payments import doorbell, work
from payments.doorbell import Kind
from payments.event_lists import EventsWanted, list_oldest_ids
from payments.event_types import names_of
from payments.events import encode
from payments.locks import lock_endpoint
from payments.models import Event, WebhookDelivery, WebhookEndpoint
from payments.representations import represent_endpoint
from payments.services.couriers import Courier

REPLAYED_MAX = 10_000
# New events are not kept waiting for old ones: these become due one after the other.
REPLAYED_PER_SECOND = 20
TEST_EVENT = "webhook.test"

Status = WebhookDelivery.Status


class EndpointNotEnabled(Conflict):
    code = "webhook_endpoint_not_enabled"

    def __init__(self, endpoint: WebhookEndpoint) -> None:
        super().__init__(f"{endpoint.public_id} is {endpoint.status}; enable it first.")


class InvalidReplayRange(Invalid):
    code = "invalid_replay_range"

    def __init__(self) -> None:
        super().__init__("A range begins before it ends.")


class TooManyToReplay(Invalid):
    code = "too_many_to_replay"

    def __init__(self) -> None:
        super().__init__(f"These are more than {REPLAYED_MAX:,} events; ask for a shorter range.")


def deliver_webhooks() -> int:
    """Deliver what is due, until nothing is and everybody has answered; how many attempts."""
    return Courier().deliver()


@transaction.atomic
def retry_delivery(delivery: WebhookDelivery, *, actor: Actor, reason: str = "") -> WebhookDelivery:
    """It is due now, from the start of its schedule, under the same id, whatever became of it.

    One that is being delivered right now is left alone. Raises EndpointNotEnabled.
    """
    endpoint = _lock_enabled(delivery.endpoint_id)
    held = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .select_related("event", "endpoint")
        .get(pk=delivery.pk)
    )
    now = timezone.now()
    if held.holder is None or held.leased_until is None or held.leased_until <= now:
        before = {"status": held.status, "tries": held.tries}
        if held.status != Status.PENDING:
            move(held, Status.PENDING)
        held.due_at, held.tries, held.fence, held.holder = now, 0, held.fence + 1, None
        held.save(update_fields=["status", "due_at", "tries", "fence", "holder"])
        audit.record(
            "webhook_delivery.retried",
            held.public_id,
            actor=actor,
            reason=reason,
            before=before,
            after={"endpoint": endpoint.public_id},
        )
    _ring()
    return held


@transaction.atomic
def replay(
    endpoint: WebhookEndpoint,
    *,
    since: datetime,
    until: datetime | None = None,
    actor: Actor,
    reason: str = "",
) -> int:
    """Everything from `since` to before `until` that it listens to is sent, again or at last.

    What it was never sent, because it was disabled or listened to something else, is included. They
    become due REPLAYED_PER_SECOND. Returns how many; what is being delivered right now is not among
    them. Raises EndpointNotEnabled, InvalidReplayRange and TooManyToReplay.
    """
    until = until or timezone.now()
    if since >= until:
        raise InvalidReplayRange()
    endpoint = _lock_enabled(endpoint.pk)
    events = EventsWanted(
        merchant=endpoint.merchant,
        types=set(names_of(endpoint.event_types)) - {TEST_EVENT},
        since=since,
        until=until,
    )
    ids = list_oldest_ids(events, limit=REPLAYED_MAX + 1)
    if len(ids) > REPLAYED_MAX:
        raise TooManyToReplay()
    count = sql.execute(
        "payments",
        "replay_deliveries",
        endpoint_id=endpoint.pk,
        event_ids=ids,
        now=timezone.now(),
        per_second=REPLAYED_PER_SECOND,
    )
    audit.record(
        "webhook_endpoint.replayed",
        endpoint.public_id,
        actor=actor,
        reason=reason,
        after={"since": since.isoformat(), "until": until.isoformat(), "deliveries": count},
    )
    _ring()
    return count


@transaction.atomic
def send_test(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "") -> WebhookDelivery:
    """A webhook.test event for this endpoint alone, due now. Raises EndpointNotEnabled."""
    endpoint = _lock_enabled(endpoint.pk)
    about = Event.objects.filter(subject=endpoint.public_id)
    now = timezone.now()
    event = Event.objects.create(
        merchant=endpoint.merchant,
        type=TEST_EVENT,
        subject=endpoint.public_id,
        sequence=(about.aggregate(newest=Max("sequence"))["newest"] or 0) + 1,
        data=encode(represent_endpoint(endpoint)),
        created_at=now,
    )
    delivery = WebhookDelivery.objects.create(
        event=event, endpoint=endpoint, due_at=now, created_at=now
    )
    audit.record("webhook_endpoint.tested", endpoint.public_id, actor=actor, reason=reason)
    _ring()
    return delivery


def give_up_delivery(delivery: WebhookDelivery, actor: Actor) -> None:
    """FAILED: whoever listens there does not hear of it, unless somebody asks for it again."""
    held = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    move(held, Status.FAILED)
    held.problem = f"Given up by {actor}."[: work.PROBLEM_LENGTH_MAX]
    held.save()


def _lock_enabled(endpoint_id: int) -> WebhookEndpoint:
    endpoint = lock_endpoint(endpoint_id)
    if endpoint.status != WebhookEndpoint.Status.ENABLED:
        raise EndpointNotEnabled(endpoint)
    return endpoint


def _ring() -> None:
    transaction.on_commit(lambda: doorbell.ring(Kind.WEBHOOKS))
