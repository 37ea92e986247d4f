"""Outcomes nobody knows yet: which there are, and the question to the gateway asked now."""

from typing import TypeVar

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Conflict
from ledger.services import audit
from payments.locks import lock_payment
from payments.models import GatewayAttempt, ParkedWork, Payment, Refund
from payments.services.asking import request_for

Row = TypeVar("Row", Payment, Refund)


class NothingToAsk(Conflict):
    code = "nothing_to_ask"

    def __init__(self, row: Payment | Refund) -> None:
        super().__init__(f"{row} is {row.status}: its gateway owes no answer about it.")


class WorkInHand(Conflict):
    code = "work_in_hand"

    def __init__(self, row: Payment | Refund) -> None:
        super().__init__(f"A worker has {row} in hand and is asking.")


class WorkIsParked(Conflict):
    code = "work_is_parked"

    def __init__(self, row: Payment | Refund) -> None:
        super().__init__(f"{row} is parked. Retry it, and its gateway is asked first.")


def with_last_question(rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows with `last_answer`, and with `unanswered_since`, both null where nothing was asked.

    The latter is when what was wanted last was first asked for without an answer.
    """
    asked = GatewayAttempt.objects.filter(subject=OuterRef("public_id"))
    last = asked.order_by("-id")
    unanswered = asked.filter(
        answer=GatewayAttempt.Answer.UNANSWERED, action=OuterRef("last_action")
    ).order_by("id")
    return rows.annotate(
        last_answer=Subquery(last.values("answer")[:1]),
        last_action=Subquery(last.values("action")[:1]),
    ).annotate(unanswered_since=Subquery(unanswered.values("asked_at")[:1]))


def with_unknown_outcome(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Of rows with their last question, those whose gateway was asked and has not answered."""
    due = rows.model._default_manager.filter(due_at__isnull=False).order_by()
    parked = ParkedWork.objects.filter(queue=rows.model._meta.db_table, resolved_at=None).order_by()
    # Whatever is not over is due some time or parked. Either is found by its index, as long as they
    # are not asked for by an OR.
    open_ids = due.values("pk").union(parked.values("row_id"), all=True)
    return rows.filter(
        _is_asked_about(rows.model),
        Q(last_answer=GatewayAttempt.Answer.UNANSWERED),
        pk__in=open_ids,
        attempts__gt=0,
    )


def _is_asked_about(model: type[Payment] | type[Refund]) -> Q:
    if model is Refund:
        return Q(status=Refund.Status.PROCESSING)
    wish = Q(amount_to_capture__isnull=False) | Q(cancel_requested_at__isnull=False)
    return Q(status=Payment.Status.PROCESSING) | (Q(status=Payment.Status.AUTHORIZED) & wish)


@transaction.atomic
def ask_now(row: Payment | Refund, *, actor: Actor, reason: str = "") -> Payment | Refund:
    """The payment or refund is due at once, so that its gateway is asked what became of it.

    Raises NothingToAsk if it was not asked yet or has answered, WorkIsParked, and WorkInHand if a
    worker is at it.
    """
    held = _lock(row)
    if held.attempts == 0 or is_over(held) or request_for(held) is None:
        raise NothingToAsk(held)
    if held.due_at is None:
        raise WorkIsParked(held)
    now, before = timezone.now(), held.due_at
    if held.holder is not None and held.leased_until is not None and held.leased_until > now:
        raise WorkInHand(held)
    held.due_at = min(before, now)
    held.save(update_fields=["due_at"])
    audit.record(
        f"{held._meta.model_name}.enquiry_requested",
        held.public_id,
        actor=actor,
        reason=reason,
        before={"due_at": before.isoformat(), "attempts": held.attempts},
        after={"due_at": held.due_at.isoformat()},
    )
    return held


def is_over(row: Payment | Refund) -> bool:
    """Whether nothing can become of it any more."""
    if isinstance(row, Refund):
        return not Refund.TRANSITIONS[Refund.Status(row.status)]
    return not Payment.TRANSITIONS[Payment.Status(row.status)]


def _lock(row: Payment | Refund) -> Payment | Refund:
    if isinstance(row, Payment):
        return lock_payment(row.pk)
    return (
        Refund.objects.select_for_update(of=("self",))
        .select_related("merchant", "payment")
        .get(pk=row.pk)
    )
