"""Rows are the queue. One small mechanism for every kind of work that waits in a table.

A row that wants attention has a `due_at`. A worker claims a batch: it moves `due_at` past the
lease and takes the next `fence` number, commits, does the outside part, and writes the result
only to rows whose fence is still its own. A worker that dies leaves its rows due again when the
lease is over; one that was only slow finds another fence and writes nothing.
"""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import F, Min
from django.utils import timezone

LEASE_SECONDS = 60
BATCH_SIZE_MAX = 1_000

RETRY_FIRST_SECONDS = 5
RETRY_LONGEST_SECONDS = 15 * 60


class Work(models.Model):
    """Columns of a row that is also a piece of work; `due_at` is null when it is done."""

    due_at = models.DateTimeField(null=True, blank=True, db_index=False)
    attempts = models.PositiveIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


WorkModel = TypeVar("WorkModel", bound=Work)


def due_index(name: str) -> models.Index:
    """The partial index that makes claiming cost nothing when the queue is short."""
    return models.Index(
        fields=["due_at", "id"], name=name, condition=models.Q(due_at__isnull=False)
    )


@transaction.atomic
def claim(
    model: type[WorkModel], *, limit: int = BATCH_SIZE_MAX, **changes: Any
) -> list[WorkModel]:
    """Take up to `limit` due rows for LEASE_SECONDS, counting the attempt before it is made.

    Rows another worker holds are skipped. `changes` are written to every claimed row.
    """
    now = timezone.now()
    ids = list(
        model._default_manager.filter(due_at__lte=now)
        .order_by("due_at", "id")
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("pk", flat=True)[:limit]
    )
    model._default_manager.filter(pk__in=ids).update(
        due_at=now + timedelta(seconds=LEASE_SECONDS),
        attempts=F("attempts") + 1,
        fence=F("fence") + 1,
        **changes,
    )
    return list(model._default_manager.filter(pk__in=ids).order_by("pk"))


def still_held(model: type[WorkModel], claimed: list[WorkModel]) -> list[WorkModel]:
    """Lock the claimed rows, in id order, and return those no other worker has taken over."""
    fences = {row.pk: row.fence for row in claimed}
    locked = (
        model._default_manager.select_for_update(of=("self",)).filter(pk__in=fences).order_by("pk")
    )
    return [row for row in locked if row.fence == fences[row.pk]]


def retry_at(attempts: int, *, now: datetime) -> datetime:
    """When to try again after this many attempts: 5 s, doubling, at most 15 minutes."""
    seconds = min(RETRY_FIRST_SECONDS * 2 ** max(attempts - 1, 0), RETRY_LONGEST_SECONDS)
    return now + timedelta(seconds=seconds)


def oldest_due(model: type[WorkModel]) -> datetime | None:
    """Since when the longest waiting row is due; None when nothing waits."""
    return model._default_manager.filter(due_at__lte=timezone.now()).aggregate(at=Min("due_at"))[
        "at"
    ]
