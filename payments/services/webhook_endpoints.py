"""Where a merchant, or the platform, wants its events sent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.services import audit
from ledger.states import transition
from payments import doorbell, work
from payments.doorbell import Kind
from payments.errors import EventTypesUnknown, TooManyEndpoints
from payments.event_types import unknown_among
from payments.locks import lock_endpoint, lock_endpoints, lock_merchant
from payments.models import Merchant, ParkedWork, WebhookDelivery, WebhookEndpoint
from payments.models.webhooks import CONCURRENCY_MAX
from payments.selectors import endpoints_of
from payments.services.webhook_secrets import new_secret, seal
from payments.webhook_urls import check_url

ENDPOINTS_MAX = 20
OVERLAP_HOURS = 24
OVERLAP_HOURS_MAX = 7 * 24

Status = WebhookEndpoint.Status


@dataclass(frozen=True, slots=True)
class EndpointWish:
    """A URL and what is sent there: names of events, families such as `refund.*`, or `*`."""

    url: str
    event_types: list[str]
    description: str = ""


def create_endpoint(
    merchant: Merchant | None, wish: EndpointWish, *, actor: Actor
) -> tuple[WebhookEndpoint, str]:
    """An endpoint and its secret, which cannot be shown again. Events from now on are sent to it.

    Without a merchant it is the platform's and gets the events of all. Raises EventTypesUnknown,
    TooManyEndpoints, and Invalid for a URL that is not public.
    """
    _check_types(wish.event_types)
    check_url(wish.url)
    secret = new_secret()
    with transaction.atomic():
        if merchant is not None:
            lock_merchant(merchant.pk)
        if endpoints_of(merchant).count() >= ENDPOINTS_MAX:
            raise TooManyEndpoints(ENDPOINTS_MAX)
        endpoint = WebhookEndpoint.objects.create(
            merchant=merchant,
            url=wish.url,
            event_types=_sorted(wish.event_types),
            description=wish.description,
            secret=seal(secret),
            created_by=str(actor)[:120],
            created_at=timezone.now(),
        )
        _record("created", endpoint, actor=actor, after=_terms(endpoint))
    return endpoint, secret


def change_endpoint(
    endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "", **changes: Any
) -> WebhookEndpoint:
    """It has these of `url`, `event_types` and `description` from now on.

    What is on its way goes to the new URL. Raises EventTypesUnknown, and Invalid for a URL that is
    not public.
    """
    if "event_types" in changes:
        _check_types(changes["event_types"])
        changes["event_types"] = _sorted(changes["event_types"])
    if "url" in changes:
        check_url(changes["url"])
    with transaction.atomic():
        endpoint = lock_endpoint(endpoint.pk)
        before = _terms(endpoint)
        for name, value in changes.items():
            setattr(endpoint, name, value)
        if before != _terms(endpoint):
            endpoint.save(update_fields=list(changes))
            after = _terms(endpoint)
            _record("changed", endpoint, actor=actor, reason=reason, before=before, after=after)
    return endpoint


@transaction.atomic
def rotate_secret(
    endpoint: WebhookEndpoint,
    *,
    overlap_hours: int = OVERLAP_HOURS,
    actor: Actor,
    reason: str = "",
) -> tuple[WebhookEndpoint, str]:
    """Give it a new secret, which cannot be shown again; the one before signs too for the overlap.

    One that was still in an overlap ends at once: two secrets are the most there are.
    """
    endpoint, secret = lock_endpoint(endpoint.pk), new_secret()
    until = timezone.now() + timedelta(hours=overlap_hours)
    endpoint.previous_secret = endpoint.secret if overlap_hours else None
    endpoint.previous_secret_until = until if overlap_hours else None
    endpoint.secret = seal(secret)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    after = {"overlap_hours": overlap_hours}
    _record("secret_rotated", endpoint, actor=actor, reason=reason, after=after)
    return endpoint, secret


@transaction.atomic
def enable_endpoint(
    endpoint: WebhookEndpoint, *, actor: Actor, reason: str = ""
) -> WebhookEndpoint:
    """Events are sent to it; what waited for that is due now, from the start of its schedule.

    Harmless to repeat.
    """
    endpoint = lock_endpoint(endpoint.pk)
    if endpoint.status == Status.ENABLED:
        return endpoint
    before = endpoint.status
    transition(
        endpoint,
        Status.ENABLED,
        disabled_reason="",
        failing_since=None,
        concurrency=CONCURRENCY_MAX,
    )
    count = _waiting(endpoint).update(due_at=timezone.now(), tries=0)
    transaction.on_commit(lambda: doorbell.ring(Kind.WEBHOOKS))
    _record(
        "enabled",
        endpoint,
        actor=actor,
        reason=reason,
        before={"status": before},
        after={"deliveries_due": count},
    )
    return endpoint


@transaction.atomic
def disable_endpoint(
    endpoint: WebhookEndpoint, *, actor: Actor, reason: str = ""
) -> WebhookEndpoint:
    """Nothing is sent to it; what is on its way waits, and new events are not kept for it.

    Harmless to repeat.
    """
    endpoint = lock_endpoint(endpoint.pk)
    if endpoint.status == Status.DISABLED:
        return endpoint
    before = endpoint.status
    why = reason.strip() or f"Disabled by {actor}."
    transition(endpoint, Status.DISABLED, disabled_reason=why[:255])
    set_aside(endpoint)
    _record("disabled", endpoint, actor=actor, reason=reason, before={"status": before})
    return endpoint


@transaction.atomic
def remove_endpoint(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "") -> None:
    """It is gone for whoever looks, and nothing is sent to it any more. Harmless to repeat."""
    endpoint = lock_endpoint(endpoint.pk)
    if endpoint.removed_at is not None:
        return
    if endpoint.status != Status.DISABLED:
        transition(endpoint, Status.DISABLED, disabled_reason="Removed.")
    endpoint.removed_at = timezone.now()
    endpoint.previous_secret = endpoint.previous_secret_until = None
    endpoint.save(update_fields=["removed_at", "previous_secret", "previous_secret_until"])
    _end_deliveries(endpoint)
    _record("removed", endpoint, actor=actor, reason=reason, before=_terms(endpoint))


def settle_strays() -> int:
    """What is being told while its endpoint is enabled, disabled or removed does not see that.

    By then it is due, waits, or is over as the endpoint says. Returns how many endpoints had some.
    """
    now = timezone.now()
    found = sql.rows("payments", "find_stray_endpoints", now=now)
    for endpoint in lock_endpoints(row.id for row in found):
        if endpoint.removed_at is not None:
            _end_deliveries(endpoint)
        elif endpoint.status == Status.ENABLED:
            _waiting(endpoint).update(due_at=now)
        else:
            set_aside(endpoint)
    return len(found)


def set_aside(endpoint: WebhookEndpoint) -> None:
    """What is due waits for the endpoint, which the caller has locked.

    What a worker has in hand right now is finished; it is not sent again.
    """
    due = _pending(endpoint).filter(work.free(timezone.now()), due_at__isnull=False)
    due.update(due_at=None, holder=None)


def _end_deliveries(endpoint: WebhookEndpoint) -> None:
    # Whoever has one in hand finds another fence and writes nothing.
    _pending(endpoint).update(
        status=WebhookDelivery.Status.FAILED,
        due_at=None,
        holder=None,
        fence=F("fence") + 1,
        problem="The endpoint was removed.",
    )


def _waiting(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What waits for its endpoint, and not for a person."""
    parked = ParkedWork.objects.filter(queue=WebhookDelivery._meta.db_table, resolved_at=None)
    waiting = _pending(endpoint).filter(due_at=None, holder=None)
    return waiting.exclude(pk__in=parked.values_list("row_id", flat=True))


def _pending(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(endpoint=endpoint, status=WebhookDelivery.Status.PENDING)


def _check_types(patterns: list[str]) -> None:
    if unknown := unknown_among(patterns):
        raise EventTypesUnknown(unknown)


def _sorted(patterns: list[str]) -> list[str]:
    return sorted(set(patterns))


def _terms(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "description": endpoint.description,
    }


def _record(what: str, endpoint: WebhookEndpoint, *, actor: Actor, **said: Any) -> None:
    audit.record(f"webhook_endpoint.{what}", endpoint.public_id, actor=actor, **said)
