"""What is set about sources: tolerances from a day on, for which one person asks and another
agrees, and how files are read from now on."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone

from ledger.actors import Actor
from ledger.changes import Carrier, Payload
from ledger.errors import Invalid
from ledger.models import ChangeRequest
from ledger.services import audit
from ledger.services.changes import request_change
from reconciliation.locks import lock_source
from reconciliation.models import MatchingTolerance, Source, SourceVersion

CONFIGURATION = str(Actor.system("configuration"))
FX_TOLERANCE_MAX = 10_000
DEPOSIT_DAYS_MAX = 60
VERSIONED = ("kind", "formats", "zone", "gateway", "counterparties", "options", "on_bad_line")


@dataclass(frozen=True, slots=True)
class Tolerance:
    """See the fields of MatchingTolerance."""

    fx_tolerance_basis_points: int = 0
    deposit_days: int = 1


def ask_for_tolerance(
    source: Source, tolerance: Tolerance, *, valid_from: date, actor: Actor, reason: str
) -> ChangeRequest:
    """Ask for runs of that day and later to use this tolerance; what earlier runs found stays.

    Raises Invalid for a day that is over or a tolerance that makes no sense, and ReasonMissing.
    """
    payload = {"source": source.code, "valid_from": valid_from.isoformat(), **asdict(tolerance)}
    return request_change(TOLERANCE, f"source:{source.code}", payload, actor=actor, reason=reason)


def _in_force_for(payload: Payload) -> Payload:
    source = lock_source(Source.objects.only("pk").get(code=payload["source"]).pk)
    return _shown(_in_force(source, date.fromisoformat(payload["valid_from"])))


def _set_tolerance(change: ChangeRequest, actor: Actor) -> MatchingTolerance:
    wish = change.payload
    valid_from = date.fromisoformat(wish["valid_from"])
    tolerance = Tolerance(wish["fx_tolerance_basis_points"], wish["deposit_days"])
    if not 0 <= tolerance.fx_tolerance_basis_points <= FX_TOLERANCE_MAX:
        raise Invalid(f"A tolerance is 0 to {FX_TOLERANCE_MAX} basis points.")
    if not 0 <= tolerance.deposit_days <= DEPOSIT_DAYS_MAX:
        raise Invalid(f"A deposit comes after 0 to {DEPOSIT_DAYS_MAX} business days.")
    if valid_from < _today():
        raise Invalid(f"{valid_from} is over: a tolerance holds from today or a later day on.")
    locked = lock_source(Source.objects.only("pk").get(code=wish["source"]).pk)
    row = _new_tolerance(
        locked,
        tolerance,
        valid_from=valid_from,
        set_by=change.requested_by,
        reason=change.reason,
    )
    audit.record(
        "matching_tolerance.set",
        f"source:{locked.code}",
        actor=actor,
        reason=change.reason,
        before=change.in_force,
        after={"change": change.public_id, **_shown(row)},
    )
    return row


TOLERANCE = Carrier(
    app="reconciliation",
    kind="matchingtolerance",
    title="Tolerances of matching",
    seen_with="reconciliation.view_matchingtolerance",
    in_force=_in_force_for,
    carry_out=_set_tolerance,
)


def note_tolerance(source: Source, tolerance: Tolerance, *, set_by: str, reason: str) -> None:
    """The tolerance is this from today on, if it was another one; the first one always was."""
    known = source.tolerances.exists()
    now = _in_force(source, _today())
    if now is not None and Tolerance(now.fx_tolerance_basis_points, now.deposit_days) == tolerance:
        return
    valid_from = _today() if known else date.min
    _new_tolerance(source, tolerance, valid_from=valid_from, set_by=set_by, reason=reason)


def note_version(source: Source, *, set_by: str, reason: str) -> None:
    """The source as it is now is its newest version."""
    last = source.versions.first()
    terms = {name: _plain(getattr(source, name)) for name in VERSIONED}
    if last is not None and last.terms == terms:
        return
    number = 1 if last is None else last.number + 1
    SourceVersion.objects.create(
        source=source, number=number, terms=terms, set_by=set_by, reason=reason
    )


def _new_tolerance(
    source: Source, tolerance: Tolerance, *, valid_from: date, set_by: str, reason: str
) -> MatchingTolerance:
    row = MatchingTolerance.objects.create(
        source=source, valid_from=valid_from, set_by=set_by, reason=reason, **asdict(tolerance)
    )
    source.__dict__.pop("tolerance", None)  # read anew
    return row


def _in_force(source: Source, day: date) -> MatchingTolerance | None:
    return source.tolerances.filter(valid_from__lte=day).first()


def _shown(row: MatchingTolerance | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        "valid_from": str(row.valid_from),
        "fx_tolerance_basis_points": row.fx_tolerance_basis_points,
        "deposit_days": row.deposit_days,
    }


def _plain(value: Any) -> Any:
    return value.code if hasattr(value, "code") else value


def _today() -> date:
    return timezone.localdate(timezone=settings.PLATFORM_ZONE)
