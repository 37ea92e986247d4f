"""What people do about discrepancies that no evidence ends."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Invalid, InvalidTransition
from ledger.services import audit
from ledger.states import transition
from reconciliation.errors import DiscrepancyIsSettled, ReasonCodeUnknown, WriteOffStands
from reconciliation.locks import lock_discrepancy
from reconciliation.models import Discrepancy, DiscrepancyNote, WriteOff
from reconciliation.telling import tell_of_discrepancy

NOTE_LENGTH_MAX = 4_000
Status = Discrepancy.Status


class ReasonCode(TextChoices):
    """Why a discrepancy is ended, for counting; the words of the resolution say the rest."""

    TIMING = "timing"  # it comes with a later statement, or came with an earlier one
    PROCESSOR_ERROR = "processor_error"  # the processor reported or paid wrongly, and knows it
    BANK_ERROR = "bank_error"  # the bank did
    OUR_ERROR = "our_error"  # we booked or sent wrongly, and corrected it where it happened
    DUPLICATE = "duplicate"  # the same thing was told twice
    CHARGES = "charges"  # fees, interest or taxes that nobody announced by line
    ROUNDING = "rounding"  # less than anybody would ask for
    EXCHANGE_RATE = "exchange_rate"  # another rate than ours, and accepted
    NOT_OURS = "not_ours"  # somebody else's money or line
    UNRECOVERABLE = "unrecoverable"  # asked for, and lost for good
    OTHER = "other"


def known_reason_code(reason_code: str) -> str:
    """The code itself. Raises ReasonCodeUnknown."""
    if reason_code not in ReasonCode.values:
        raise ReasonCodeUnknown(reason_code, ReasonCode.values)
    return reason_code


def stated(reason: str) -> str:
    """The reason, trimmed. Raises ReasonMissing, ReasonTooLong, and Invalid for a NUL."""
    reason = audit.required(reason).strip()
    if "\0" in reason:
        raise Invalid("A reason has no NUL.")
    if len(reason) > audit.REASON_LENGTH_MAX:
        raise audit.ReasonTooLong(reason)
    return reason


@transaction.atomic
def assign(discrepancy: Discrepancy, owner: User | None, *, actor: Actor) -> Discrepancy:
    """The owner sees to it from now on; None: nobody does. Raises DiscrepancyIsSettled."""
    discrepancy = _locked_unsettled(discrepancy)
    before = discrepancy.owner
    if before == owner:
        return discrepancy
    discrepancy.owner = owner
    discrepancy.save(update_fields=["owner"])
    audit.record(
        "discrepancy.assigned",
        discrepancy.public_id,
        actor=actor,
        before={"owner": before.get_username() if before else ""},
        after={"owner": owner.get_username() if owner else ""},
    )
    return discrepancy


@transaction.atomic
def add_note(discrepancy: Discrepancy, text: str, *, actor: Actor) -> DiscrepancyNote:
    """Keep what somebody found out, also about a settled one. Raises Invalid."""
    text = text.strip()
    if not text or "\0" in text or len(text) > NOTE_LENGTH_MAX:
        raise Invalid(f"A note has 1 to {NOTE_LENGTH_MAX} characters, and no NUL.")
    note = DiscrepancyNote.objects.create(
        discrepancy=discrepancy, author=str(actor), text=text, created_at=timezone.now()
    )
    audit.record("discrepancy.noted", discrepancy.public_id, actor=actor, after={"note": note.pk})
    return note


@transaction.atomic
def investigate(discrepancy: Discrepancy, *, actor: Actor) -> Discrepancy:
    """Somebody is at it. Raises InvalidTransition."""
    discrepancy = lock_discrepancy(discrepancy.pk)
    return _change(discrepancy, Status.INVESTIGATING, "discrepancy.investigated", actor=actor)


@transaction.atomic
def resolve(
    discrepancy: Discrepancy, *, reason_code: str, reason: str, actor: Actor
) -> Discrepancy:
    """A person ends it; nothing is posted, and later runs leave it ended.

    What it keeps apart stays an open item of the tie-out until evidence or an entry takes it away.
    Raises ReasonCodeUnknown, ReasonMissing, ReasonTooLong, WriteOffStands and InvalidTransition.
    """
    discrepancy = lock_discrepancy(discrepancy.pk)
    refuse_while_written_off(discrepancy)
    return _change(
        discrepancy,
        Status.RESOLVED,
        "discrepancy.resolved",
        actor=actor,
        reason=stated(reason),
        reason_code=known_reason_code(reason_code),
        resolution=stated(reason),
        ended_by=str(actor),
        resolved_at=timezone.now(),
    )


@transaction.atomic
def reopen(discrepancy: Discrepancy, *, reason: str, actor: Actor) -> Discrepancy:
    """It has to be worked again; who ended it and why stays in the audit trail.

    One that was written off is opened by reversing its write-off. Raises ReasonMissing,
    WriteOffStands and InvalidTransition.
    """
    discrepancy = lock_discrepancy(discrepancy.pk)
    refuse_while_written_off(discrepancy)
    reason = stated(reason)
    if discrepancy.status == Status.WRITE_OFF_REQUESTED:  # whoever asked withdraws that
        raise InvalidTransition(discrepancy, Status.OPEN)
    return _change(
        discrepancy, Status.OPEN, "discrepancy.reopened", actor=actor, reason=reason, **NOT_ENDED
    )


# What an unsettled discrepancy has in its fields about its end.
NOT_ENDED = {
    "reason_code": "",
    "resolution": "",
    "ended_by": "",
    "resolved_at": None,
    "resolved_by": None,
}


def refuse_while_written_off(discrepancy: Discrepancy) -> None:
    """Raises WriteOffStands if an entry for it is in the ledger."""
    standing = discrepancy.write_offs.filter(status=WriteOff.Status.POSTED).first()
    if standing is not None:
        raise WriteOffStands(standing)


def _locked_unsettled(discrepancy: Discrepancy) -> Discrepancy:
    discrepancy = lock_discrepancy(discrepancy.pk)
    if discrepancy.status not in Discrepancy.UNSETTLED:
        raise DiscrepancyIsSettled(discrepancy)
    return discrepancy


def _change(
    discrepancy: Discrepancy,
    target: Status,
    action: str,
    *,
    actor: Actor,
    reason: str = "",
    **fields: object,
) -> Discrepancy:
    before, was_over = _state(discrepancy), discrepancy.status not in Discrepancy.UNSETTLED
    transition(discrepancy, target, **fields)
    audit.record(
        action,
        discrepancy.public_id,
        actor=actor,
        reason=reason,
        before=before,
        after=_state(discrepancy),
    )
    if was_over != (target not in Discrepancy.UNSETTLED):
        tell_of_discrepancy(discrepancy)
    return discrepancy


def _state(discrepancy: Discrepancy) -> dict[str, str]:
    return {
        "status": str(discrepancy.status),
        "reason_code": discrepancy.reason_code,
        "ended_by": discrepancy.ended_by,
    }
