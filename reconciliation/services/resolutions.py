"""Doing what people filled in about open discrepancies, row by row."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction

from ledger.actors import Actor
from ledger.errors import DomainError
from reconciliation.errors import ResolutionRefused
from reconciliation.models import Discrepancy, WriteOff
from reconciliation.resolution_sheets import SheetRow
from reconciliation.services.discrepancies import assign, resolve
from reconciliation.services.write_offs import propose_write_off

RESOLVE = "resolve"
ACTIONS = ("", RESOLVE, *WriteOff.Kind.values)


class Outcome(StrEnum):
    RESOLVED = "resolved"
    PROPOSED = "proposed"  # an entry waits for a second person
    ASSIGNED = "assigned"
    UNCHANGED = "unchanged"  # nothing was filled in, or it is so already
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row; `message` says why it was refused."""

    row: int
    id: str
    outcome: Outcome
    message: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def import_resolutions(
    rows: Iterable[SheetRow], *, actor: Actor, may_propose: bool, is_trial: bool = False
) -> list[RowResult]:
    """Each row is done whole or refused, by itself: a bad one does not hold up its neighbours.

    An owner is assigned. With a resolution or a reason code, the discrepancy is resolved, or, if
    the action names a kind of write-off, its entry is proposed to a second person: a table
    approves nothing. Repeating it changes nothing. A trial says what would become of each row.
    """
    results: list[RowResult] = []
    seen: dict[str, int] = {}
    for row in rows:
        try:
            with transaction.atomic():
                if row.id in seen:
                    raise ResolutionRefused("id", f"row {seen[row.id]} has it already")
                seen[row.id] = row.number
                outcome = _do(row, actor, may_propose)
                transaction.set_rollback(is_trial)
        except DomainError as refusal:
            results.append(RowResult(row.number, row.id, Outcome.REFUSED, refusal.message))
        else:
            results.append(RowResult(row.number, row.id, outcome))
    return results


def _do(row: SheetRow, actor: Actor, may_propose: bool) -> Outcome:
    # PostgreSQL keeps no NUL, so that no id has one.
    discrepancy = Discrepancy.objects.filter(public_id=row.id.replace("\0", "?")).first()
    if discrepancy is None:
        raise ResolutionRefused("id", f"there is no discrepancy {row.id[:60]!r}")
    if row.action not in ACTIONS:
        raise ResolutionRefused("action", f"{row.action[:60]!r} is not one of {_named(ACTIONS)}")
    ends = bool(row.action or row.reason_code or row.resolution)
    if ends and _is_done(row, discrepancy):
        return Outcome.UNCHANGED
    is_new_owner = _assign(row, discrepancy, actor)
    if not ends:
        return Outcome.ASSIGNED if is_new_owner else Outcome.UNCHANGED
    code, reason = row.reason_code, row.resolution
    if row.action in ("", RESOLVE):
        resolve(discrepancy, reason_code=code, reason=reason, actor=actor)
        return Outcome.RESOLVED
    if not may_propose:
        raise ResolutionRefused("action", "you may not propose write-offs")
    propose_write_off(discrepancy, kind=row.action, reason_code=code, reason=reason, actor=actor)
    return Outcome.PROPOSED


def _assign(row: SheetRow, discrepancy: Discrepancy, actor: Actor) -> bool:
    """Whether the row names another owner, who has it now."""
    if not row.owner:
        return False
    name = row.owner.replace("\0", "?")
    owner = User.objects.filter(username=name, is_active=True).first()
    if owner is None:
        raise ResolutionRefused("owner", f"there is no active person {row.owner[:60]!r}")
    if discrepancy.owner_id == owner.pk:
        return False
    assign(discrepancy, owner, actor=actor)
    return True


def _is_done(row: SheetRow, discrepancy: Discrepancy) -> bool:
    """The table was imported before: what it asks for is so."""
    if row.action in ("", RESOLVE):
        said = (discrepancy.status, discrepancy.reason_code, discrepancy.resolution)
        return said == (Discrepancy.Status.RESOLVED, row.reason_code, row.resolution)
    return discrepancy.write_offs.filter(
        status__in=[WriteOff.Status.REQUESTED, WriteOff.Status.POSTED],
        kind=row.action,
        reason_code=row.reason_code,
        reason=row.resolution.replace("\0", "?"),
    ).exists()


def _named(actions: Iterable[str]) -> str:
    return ", ".join(action or "(empty)" for action in actions)
