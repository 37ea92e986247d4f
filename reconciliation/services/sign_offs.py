"""A day is signed off: one person prepares its tie-out report, a second one signs it."""

import difflib
import json
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Conflict, Forbidden, NotFound
from ledger.services import audit
from ledger.states import move, transition
from reconciliation.models import SignOff, SourceAccount
from reconciliation.reports import canonical, content_hash, known_horizon, tie_out_report
from reconciliation.sign_off import obstacles_to_sign_off, unexplained

Status = SignOff.Status
ONE_PER_DAY = "reconciliation_signoff_one_per_day"


class SignOffRefused(Conflict):
    """Something has to be seen to first; `obstacles` are sentences for people."""

    code = "sign_off_refused"

    def __init__(self, account: object, day: date, obstacles: list[str]) -> None:
        self.obstacles = obstacles
        super().__init__(f"{account} {day} cannot be signed off: {'; '.join(obstacles)}.")


class SignOffExists(Conflict):
    """A day has one sign-off at a time; another one needs the first to be withdrawn."""

    code = "sign_off_exists"

    def __init__(self, account: object, day: date) -> None:
        super().__init__(f"{account} {day} is prepared or signed already; withdraw that first.")


class SignOffNotFound(NotFound):
    """No sign-off has this id."""

    code = "sign_off_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such sign-off.")


class SignerIsPreparer(Forbidden):
    """Whoever prepared a report does not sign it too."""

    code = "signer_is_preparer"

    def __init__(self, sign_off: object) -> None:
        super().__init__(f"{sign_off} is signed by somebody else than who prepared it.")


class SignOffNeedsPerson(Forbidden):
    """A program may prepare a report; a person signs it."""

    code = "sign_off_needs_person"

    def __init__(self, sign_off: object) -> None:
        super().__init__(f"{sign_off} is signed by a person.")


class ReportNotReproduced(Conflict):
    """Computed again as known then, the report says something else than was prepared."""

    code = "report_not_reproduced"

    def __init__(self, sign_off: object) -> None:
        super().__init__(f"{sign_off}: its report comes out differently now; withdraw it.")


def sign_off_by_id(public_id: str) -> SignOff:
    """Raises SignOffNotFound."""
    found = _sign_offs().filter(public_id=public_id).first()
    if found is None:
        raise SignOffNotFound()
    return found


@transaction.atomic
def prepare_sign_off(
    account: SourceAccount, day: date, *, actor: Actor, reason: str = ""
) -> SignOff:
    """The account's report of the day is frozen as it is known now, and waits for a second person.

    Raises SignOffRefused with what stands in the way, SignOffExists and ReasonTooLong.
    """
    known_at = known_horizon()
    report = tie_out_report(account, day=day, known_at=known_at)
    obstacles = [
        *unexplained(report["difference"], account.currency),
        *obstacles_to_sign_off(account, day=day),
    ]
    if obstacles:
        raise SignOffRefused(account, day, obstacles)
    content = canonical(report)
    try:
        with transaction.atomic():
            sign_off = SignOff.objects.create(
                source_account=account,
                day=day,
                known_at=known_at,
                content=content,
                content_hash=content_hash(content),
                prepared_by=str(actor),
                prepared_at=timezone.now(),
            )
    except IntegrityError as problem:
        if ONE_PER_DAY not in str(problem):
            raise
        raise SignOffExists(account, day) from None
    _record("sign_off.prepared", sign_off, actor, reason)
    return sign_off


@transaction.atomic
def sign(sign_off: SignOff, *, actor: Actor, reason: str = "") -> SignOff:
    """A second person agrees to exactly what was prepared; nothing changes it from now on.

    Raises SignOffNeedsPerson, SignerIsPreparer, ReportNotReproduced, ReasonTooLong and
    InvalidTransition.
    """
    locked = _locked(sign_off)
    if actor.kind != "user":
        raise SignOffNeedsPerson(locked)
    if locked.prepared_by == str(actor):
        raise SignerIsPreparer(locked)
    move(locked, Status.SIGNED)
    if verify(locked):
        raise ReportNotReproduced(locked)
    locked.signed_by, locked.signed_at = str(actor), timezone.now()
    locked.save(update_fields=["status", "signed_by", "signed_at"])
    _record("sign_off.signed", locked, actor, reason)
    return locked


@transaction.atomic
def withdraw(sign_off: SignOff, *, reason: str, actor: Actor) -> SignOff:
    """The sign-off counts no more, and the day may be prepared anew. What was signed stays.

    Raises ReasonMissing, ReasonTooLong and InvalidTransition.
    """
    locked = _locked(sign_off)
    audit.required(reason)
    _record("sign_off.withdrawn", locked, actor, reason)
    transition(locked, Status.WITHDRAWN, withdrawn_by=str(actor), reason=reason.strip())
    return locked


def verify(sign_off: SignOff) -> list[str]:
    """What is different if the report is computed again as known then; empty: not one byte."""
    report = tie_out_report(sign_off.source_account, day=sign_off.day, known_at=sign_off.known_at)
    now = canonical(report)
    if now == sign_off.content and content_hash(now) == sign_off.content_hash:
        return []
    differences = difflib.unified_diff(
        _indented(sign_off.content), _indented(now), "signed", "computed now", lineterm="", n=1
    )
    return list(differences) or [f"its hash {sign_off.content_hash} is not that of its content"]


def _indented(content: str) -> list[str]:
    return json.dumps(json.loads(content), indent=1, sort_keys=True, ensure_ascii=False).split("\n")


def _sign_offs() -> QuerySet[SignOff]:
    return SignOff.objects.select_related("source_account__source")


def _locked(sign_off: SignOff) -> SignOff:
    return _sign_offs().select_for_update(of=("self",)).get(pk=sign_off.pk)


def _record(action: str, sign_off: SignOff, actor: Actor, reason: str = "") -> None:
    audit.record(
        action,
        sign_off.public_id,
        actor=actor,
        reason=reason,
        after={
            "account": str(sign_off.source_account),
            "day": sign_off.day.isoformat(),
            "content_hash": sign_off.content_hash,
        },
    )
