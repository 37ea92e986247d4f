"""The audit trail: written in the transaction of the change, by the service that makes it."""

from typing import Any

from ledger.actors import Actor
from ledger.models import AuditEvent


def record(
    action: str,
    subject: str,
    *,
    actor: Actor,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write down who did what; `subject` is a public id, `before` and `after` what changed."""
    return AuditEvent.objects.create(
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        subject=subject,
        reason=reason,
        before=before or {},
        after=after or {},
    )
