"""Changes that take two people: asked for by one, approved as they were asked by another."""

import hashlib
import json
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.changes import Carrier, Payload, carrier_of
from ledger.errors import Conflict, Forbidden
from ledger.locks import lock_change
from ledger.models import ChangeRequest
from ledger.models.changes import LIFETIME
from ledger.proof import pack
from ledger.services import audit
from ledger.states import transition

Status = ChangeRequest.Status
VERSION = "tieout-change/1"


class ChangeNeedsSecondPerson(Forbidden):
    code = "change_needs_second_person"

    def __init__(self, change: ChangeRequest) -> None:
        super().__init__(f"{change} is approved by somebody else than who asked for it.")


class ChangeOfOneself(Forbidden):
    """Who a change is about neither asks for it nor approves it."""

    code = "change_of_oneself"

    def __init__(self) -> None:
        super().__init__("Nobody changes what he may do himself; ask another security admin.")


class ChangeExpired(Conflict):
    code = "change_expired"

    def __init__(self, change: ChangeRequest) -> None:
        super().__init__(
            f"{change} was to be decided before {change.expires_at:%Y-%m-%d %H:%M} UTC; ask again."
        )


class ChangeAltered(Conflict):
    """Its row is not what was asked for: somebody went behind the database's rules."""

    code = "change_altered"

    def __init__(self, change: ChangeRequest) -> None:
        super().__init__(f"{change} is not what was asked for; its digest says otherwise.")


class ChangeOutdated(Conflict):
    code = "change_outdated"

    def __init__(self, change: ChangeRequest) -> None:
        super().__init__(f"{change} was asked for when something else was in force; ask again.")


@transaction.atomic
def request_change(
    carrier: Carrier, subject: str, payload: Payload, *, actor: Actor, reason: str
) -> ChangeRequest:
    """Ask somebody else to agree, within LIFETIME. Nothing changes yet, but it is tried.

    Raises what carrying it out would raise now, ChangeOfOneself, ReasonMissing and ReasonTooLong.
    """
    if carrier.is_party(payload, actor):
        raise ChangeOfOneself()
    now = timezone.now()
    change = ChangeRequest(
        kind=carrier.kind,
        subject=subject,
        payload=payload,
        in_force=carrier.in_force(payload),
        reason=audit.required(reason).strip(),
        requested_by=str(actor),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    change.digest = digest_of(change)
    _record("change.requested", change, actor=actor, reason=reason)
    change.save(force_insert=True)
    with transaction.atomic():
        carrier.carry_out(change, actor)
        transaction.set_rollback(True)
    return change


@transaction.atomic
def approve_change(change: ChangeRequest, *, actor: Actor, reason: str) -> ChangeRequest:
    """What was asked for, and nothing else, is so from now on.

    Raises ChangeNeedsSecondPerson, ChangeOfOneself, ChangeExpired, ChangeAltered, ChangeOutdated if
    what it would replace has changed since, InvalidTransition, ReasonMissing, and what carrying it
    out raises; then nothing has changed.
    """
    reason = audit.required(reason)
    locked = lock_change(change.pk)
    carrier = carrier_of(locked)
    if actor.kind != "user" or locked.requested_by == str(actor):
        raise ChangeNeedsSecondPerson(locked)
    if carrier.is_party(locked.payload, actor):
        raise ChangeOfOneself()
    now = timezone.now()
    if locked.status == Status.REQUESTED:
        _check_as_asked(locked, carrier, now)
    transition(locked, Status.APPLIED, decided_by=str(actor), decided_at=now)
    _record("change.approved", locked, actor=actor, reason=reason)
    carrier.carry_out(locked, actor)
    return locked


@transaction.atomic
def refuse_change(change: ChangeRequest, *, actor: Actor, reason: str) -> ChangeRequest:
    """Nothing changes. Raises InvalidTransition, ReasonMissing and ReasonTooLong."""
    return _drop(change, Status.REFUSED, "change.refused", actor=actor, reason=reason)


@transaction.atomic
def withdraw_change(change: ChangeRequest, *, actor: Actor, reason: str) -> ChangeRequest:
    """As if it had not been asked for. Raises what refusing raises."""
    return _drop(change, Status.WITHDRAWN, "change.withdrawn", actor=actor, reason=reason)


def digest_of(change: ChangeRequest) -> str:
    """SHA-256, in hexadecimal, of all that is asked for."""
    plain = (
        json.dumps(each, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        for each in (change.payload, change.in_force)
    )
    fields = (VERSION, change.public_id, change.kind, change.subject, *plain)
    return hashlib.sha256(pack((*fields, change.requested_by, change.reason))).hexdigest()


def _check_as_asked(change: ChangeRequest, carrier: Carrier, now: datetime) -> None:
    if now > change.expires_at:
        raise ChangeExpired(change)
    if digest_of(change) != change.digest:
        raise ChangeAltered(change)
    if carrier.in_force(change.payload) != change.in_force:
        raise ChangeOutdated(change)


def _drop(
    change: ChangeRequest, target: Status, action: str, *, actor: Actor, reason: str
) -> ChangeRequest:
    reason = audit.required(reason)
    locked = lock_change(change.pk)
    transition(locked, target, decided_by=str(actor), decided_at=timezone.now())
    _record(action, locked, actor=actor, reason=reason)
    return locked


def _record(action: str, change: ChangeRequest, *, actor: Actor, reason: str) -> None:
    told = {"kind": change.kind, "subject": change.subject, "digest": change.digest}
    audit.record(
        action,
        change.public_id,
        actor=actor,
        reason=reason,
        before=change.in_force,
        after={**told, "asked_by": change.requested_by, **change.payload},
    )
