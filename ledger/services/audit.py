"""The audit trail: written in the transaction of the change, by the service that makes it."""

from collections.abc import Iterable
from typing import Any

from ledger.actors import Actor, address, request_id, user_agent
from ledger.errors import Invalid
from ledger.models import AuditEvent

REASON_LENGTH_MAX = 500


class ReasonMissing(Invalid):
    code = "reason_missing"

    def __init__(self) -> None:
        super().__init__("Say why: the reason stays in the audit trail.")


class ReasonTooLong(Invalid):
    code = "reason_too_long"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"A reason has at most {REASON_LENGTH_MAX} characters; this one has {len(reason)}."
        )


def required(reason: str) -> str:
    """The reason of something that may not be done without one. Raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing()
    return reason


def record(
    action: str,
    subject: str,
    *,
    actor: Actor,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write down who did what, why, in which HTTP request and from where.

    `subject` is a public id, `before` and `after` are what changed; none of them is ever a secret.
    Raises ReasonTooLong.
    """
    event = event_of(action, subject, actor=actor, reason=reason, before=before, after=after)
    event.save(force_insert=True)
    return event


def record_all(events: Iterable[AuditEvent]) -> None:
    """Write down many events of `event_of` by one statement."""
    AuditEvent.objects.bulk_create(events)


def event_of(
    action: str,
    subject: str,
    *,
    actor: Actor,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """What `record` writes down, not written yet."""
    reason = reason.strip()
    if len(reason) > REASON_LENGTH_MAX:
        raise ReasonTooLong(reason)
    return AuditEvent(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        subject=subject,
        reason=reason,
        request_id=request_id.get(),
        address=address.get(),
        user_agent=user_agent.get(),
        before=before or {},
        after=after or {},
    )
