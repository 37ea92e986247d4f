"""Work that nobody could do is taken out of the queue and waits for a person."""

from django.db import transaction
from django.utils import timezone

from payments import work
from payments.models import ParkedWork


@transaction.atomic
def note_failure(row: work.Work, error: Exception) -> None:
    """The row, if still ours, is tried again later, or parked after FAILURES_MAX failures."""
    problem = f"{type(error).__name__}: {error}"
    for held in work.still_held(type(row), [row]):
        held.failures += 1
        held.problem = problem[: work.PROBLEM_LENGTH_MAX].replace("\0", "")
        held.holder = None
        held.due_at = work.retry_at(held.failures, now=timezone.now())
        held.save(update_fields=["failures", "problem", "holder", "due_at"])
        if held.failures >= work.FAILURES_MAX:
            park(held, problem)


@transaction.atomic
def park(row: work.Work, problem: str) -> None:
    """The row, if still ours, is due no more; ParkedWork says why."""
    model = type(row)
    for held in work.still_held(model, [row]):
        held.due_at = held.holder = None
        held.problem = problem[: work.PROBLEM_LENGTH_MAX].replace("\0", "")
        # Whoever still has it in hand finds another fence.
        held.fence += 1
        held.save(update_fields=["due_at", "holder", "problem", "fence"])
        ParkedWork.objects.create(
            queue=model._meta.db_table,
            row_id=held.pk,
            subject=str(held)[:120],
            problem=problem.replace("\0", ""),
            attempts=held.attempts,
            deaths=held.deaths,
            failures=held.failures,
        )
