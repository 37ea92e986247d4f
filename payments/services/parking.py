"""Work that nobody could do is taken out of the queue and waits for a person.

One person has it tried again. To give it up takes two, and a row that can truly be said to be over.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from ledger.actors import Actor
from ledger.errors import Conflict, Forbidden
from ledger.services import audit
from payments import queues, work
from payments.models import ParkedWork
from payments.queues import Queue
from payments.services.giving_up import GiveUpTooEarly, check_nothing_moved

SUBJECT_LENGTH_MAX = 80  # of an audit event
PROBLEM_LENGTH_MAX = 10_000

Resolution = ParkedWork.Resolution


class ParkedWorkResolved(Conflict):
    code = "parked_work_resolved"

    def __init__(self, parked: ParkedWork) -> None:
        super().__init__(f"{parked} was {parked.resolution} by {parked.resolved_by} already.")


class DiscardNotRequested(Conflict):
    code = "discard_not_requested"

    def __init__(self, parked: ParkedWork) -> None:
        super().__init__(f"Nobody has asked to discard {parked}; somebody else does that first.")


class DiscarderIsRequester(Forbidden):
    code = "approver_is_requester"

    def __init__(self, parked: ParkedWork) -> None:
        super().__init__(f"{parked} is discarded by somebody else than who asked for it.")


class NotParkedAnyMore(Conflict):
    code = "not_parked_any_more"

    def __init__(self, parked: ParkedWork) -> None:
        super().__init__(f"{parked} has moved on since it was parked. Retry it, and it is cleared.")


@transaction.atomic
def note_failure(row: work.Work, error: Exception) -> None:
    """The row, if still ours, is tried again later, or parked after FAILURES_MAX failures."""
    problem = _readable(f"{type(error).__name__}: {error}")
    for held in work.still_held(type(row), [row]):
        held.failures += 1
        held.problem = problem[: work.PROBLEM_LENGTH_MAX]
        held.holder = None
        held.due_at = work.retry_at(held.failures, now=timezone.now())
        held.save(update_fields=["failures", "problem", "holder", "due_at"])
        if held.failures >= work.FAILURES_MAX:
            park(held, problem)


@transaction.atomic
def park(row: work.Work, problem: str) -> None:
    """The row, if still ours, is due no more; ParkedWork says why."""
    model = type(row)
    problem = _readable(problem)
    for held in work.still_held(model, [row]):
        held.due_at = held.holder = None
        held.problem = problem[: work.PROBLEM_LENGTH_MAX]
        # Whoever still has it in hand finds another fence.
        held.fence += 1
        held.save(update_fields=["due_at", "holder", "problem", "fence"])
        # One that somebody else made due again while it was parked has its record still.
        ParkedWork.objects.update_or_create(
            queue=model._meta.db_table,
            row_id=held.pk,
            resolved_at=None,
            defaults={
                "subject": str(held)[:120],
                "problem": problem,
                "attempts": held.attempts,
                "deaths": held.deaths,
                "failures": held.failures,
                "parked_at": timezone.now(),
                "discard_asked_by": "",
                "discard_reason": "",
            },
        )


@transaction.atomic
def retry_parked(parked: ParkedWork, *, actor: Actor, reason: str) -> ParkedWork:
    """The row is due at once, with nothing counted against it; RETRIED.

    Its attempts stay counted, so that a gateway is asked what became of them before anything is
    done anew. A row that is over by now stays as it is. Raises ReasonMissing, ReasonTooLong and
    ParkedWorkResolved.
    """
    audit.required(reason)
    model = _queue_of(parked).model
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=parked.row_id).first()
    record = _lock_unresolved(parked)
    is_due = row is not None and _make_due(row)
    _resolve(record, Resolution.RETRIED, actor)
    audit.record(
        "work.retried",
        record.subject[:SUBJECT_LENGTH_MAX],
        actor=actor,
        reason=reason,
        before=_state(record),
        after={"is_due": is_due},
    )
    return record


@transaction.atomic
def ask_to_discard(parked: ParkedWork, *, actor: Actor, reason: str) -> ParkedWork:
    """Ask somebody else to give the row up; a new request replaces the old one.

    Raises ReasonMissing, ReasonTooLong and ParkedWorkResolved.
    """
    audit.required(reason)
    record = _lock_unresolved(parked)
    audit.record(
        "work.discard_requested",
        record.subject[:SUBJECT_LENGTH_MAX],
        actor=actor,
        reason=reason,
        before=_state(record),
    )
    record.discard_asked_by, record.discard_reason = str(actor), reason.strip()
    record.save(update_fields=["discard_asked_by", "discard_reason"])
    return record


def discard(parked: ParkedWork, *, actor: Actor, reason: str = "") -> ParkedWork:
    """The row is over, as its queue's `give_up` ends it, and as somebody else asked; DISCARDED.

    Not to be called inside a transaction: a gateway may be asked first. Raises ParkedWorkResolved,
    DiscardNotRequested, DiscarderIsRequester, GiveUpTooEarly, NotParkedAnyMore, ReasonTooLong and
    what `give_up` raises, e.g. MoneyMayHaveMoved; then the row and its record are as they were.
    """
    record = ParkedWork.objects.get(pk=parked.pk)
    _check_discard(record, actor)
    queue = _queue_of(record)
    parked_rows = queue.model._default_manager.filter(due_at=None, holder=None)
    row = parked_rows.filter(pk=record.row_id).first()
    if row is None:
        raise NotParkedAnyMore(record)
    evidence = check_nothing_moved(row)
    with transaction.atomic():
        # Nobody who holds another lock wants a parked row, so that it may be locked first.
        if not parked_rows.select_for_update(of=("self",)).filter(pk=row.pk, fence=row.fence):
            raise NotParkedAnyMore(record)
        record = _lock_unresolved(record)
        _check_discard(record, actor)
        queue.give_up(row, actor)
        _resolve(record, Resolution.DISCARDED, actor)
        audit.record(
            "work.discarded",
            record.subject[:SUBJECT_LENGTH_MAX],
            actor=actor,
            reason=reason,
            before=_state(record),
            after={"evidence": evidence},
        )
    return record


def can_be_discarded_at(parked: ParkedWork) -> datetime:
    """By then a worker that lost the row no longer runs, so nothing is asked behind our back."""
    return parked.parked_at + timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)


def _check_discard(record: ParkedWork, actor: Actor) -> None:
    if record.resolved_at is not None:
        raise ParkedWorkResolved(record)
    if not record.discard_asked_by:
        raise DiscardNotRequested(record)
    if record.discard_asked_by == str(actor):
        raise DiscarderIsRequester(record)
    if timezone.now() < can_be_discarded_at(record):
        raise GiveUpTooEarly(record, can_be_discarded_at(record))


def _lock_unresolved(parked: ParkedWork) -> ParkedWork:
    """The record, locked, after the row it is about."""
    record = ParkedWork.objects.select_for_update().get(pk=parked.pk)
    if record.resolved_at is not None:
        raise ParkedWorkResolved(record)
    return record


def _make_due(row: work.Work) -> bool:
    """Whether there was anything left to do."""
    row.due_at, row.holder, row.problem = timezone.now(), None, ""
    row.deaths = row.failures = 0
    row.fence += 1
    try:
        with transaction.atomic():
            row.save(update_fields=["due_at", "holder", "problem", "deaths", "failures", "fence"])
    except IntegrityError as refusal:
        if "final_is_not_due" in str(refusal):
            return False
        raise
    return True


def _resolve(record: ParkedWork, resolution: Resolution, actor: Actor) -> None:
    record.resolution = resolution
    record.resolved_by, record.resolved_at = str(actor), timezone.now()
    record.save(update_fields=["resolution", "resolved_by", "resolved_at"])


def _state(record: ParkedWork) -> dict[str, object]:
    return {
        "queue": record.queue,
        "problem": record.problem[: work.PROBLEM_LENGTH_MAX],
        "attempts": record.attempts,
        "deaths": record.deaths,
        "failures": record.failures,
        "discard_asked_by": record.discard_asked_by,
        "discard_reason": record.discard_reason,
    }


def _queue_of(parked: ParkedWork) -> Queue:
    autodiscover_modules("tasks")  # where each app registers its queues
    return queues.queue_of(parked.queue)


def _readable(problem: str) -> str:
    """What PostgreSQL can keep of it."""
    text = problem[:PROBLEM_LENGTH_MAX].replace("\0", "")
    return text.encode(errors="backslashreplace").decode()
