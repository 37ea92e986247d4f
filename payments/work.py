"""Rows are the queue. One small mechanism for every kind of work that waits in a table.

A row that wants attention has a `due_at`. A worker claims a batch: it becomes the holder until the
lease is over and takes the next `fence` number, commits, does the outside part, and writes the
result only to rows whose fence is still its own. The rows of a worker that died are free again when
its heart has not beaten for a while, or at the latest when the lease is over; one that was only
slow finds another fence and writes nothing.

Whoever changes a row that a worker may hold takes the next fence too, so that what the worker read
when it claimed is still true when it writes.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import Case, F, Lookup, Min, Q, Value, When
from django.utils import timezone

LEASE_SECONDS = 60
BATCH_SIZE_MAX = 1_000
HEARTBEAT_SECONDS = 2
DEAD_AFTER_SECONDS = 10

RETRY_FIRST_SECONDS = 5
RETRY_LONGEST_SECONDS = 15 * 60
RETRY_HOURLY_AFTER = 12  # attempts: 5 s doubling to 15 min, a few of those, then once an hour

DEATHS_MAX = 3
FAILURES_MAX = 8
# Rows that a dead worker held are taken in ever smaller batches, until the poisonous one is alone.
BATCH_SIZE_BY_DEATHS = {0: BATCH_SIZE_MAX, 1: 32, 2: 1}
SUSPECTS_WAIT_SECONDS = 10
PROBLEM_LENGTH_MAX = 500

# The id of this process's heartbeat; processes without one are trusted until the lease is over.
NO_HEARTBEAT = 0
_holder: tuple[int, int] = (0, NO_HEARTBEAT)  # (pid, heartbeat): a forked child has none yet


class Work(models.Model):
    """Columns of a row that is also a piece of work; `due_at` is null when it is done or parked."""

    status: Any  # what it is differs; every kind of work has one

    due_at = models.DateTimeField(null=True, blank=True, db_index=False)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    fence = models.PositiveIntegerField(default=0, db_default=0)
    holder = models.BigIntegerField(
        null=True, blank=True, help_text="Heartbeat of the worker that has it; 0: has none."
    )
    leased_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when the holder has it; means nothing without one."
    )
    deaths = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many workers died while they held it."
    )
    failures = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many attempts ended in an error of ours."
    )
    problem = models.CharField(
        max_length=PROBLEM_LENGTH_MAX, blank=True, default="", db_default="", help_text="The last."
    )

    class Meta:
        abstract = True


WorkModel = TypeVar("WorkModel", bound=Work)


def due_index(name: str) -> models.Index:
    """The partial index that makes claiming cost nothing when the queue is short."""
    return models.Index(
        fields=["due_at", "id"], name=name, condition=models.Q(due_at__isnull=False)
    )


def free(now: datetime) -> Q:
    """Rows that nobody holds, or whose holder has had its time."""
    return Q(holder__isnull=True) | Q(leased_until__lte=now)


def hold_as(heartbeat: int) -> None:
    """From now on this process claims under this heartbeat."""
    global _holder
    _holder = (os.getpid(), heartbeat)


def holder() -> int:
    """The heartbeat under which this process claims."""
    pid, heartbeat = _holder
    return heartbeat if pid == os.getpid() else NO_HEARTBEAT


@transaction.atomic
def claim(
    model: type[WorkModel],
    *,
    limit: int = BATCH_SIZE_MAX,
    becomes: Mapping[str, str] = MappingProxyType({}),
    among: Sequence[int] | None = None,
) -> list[WorkModel]:
    """Take up to `limit` due rows for LEASE_SECONDS, counting the attempt before it is made.

    Rows another worker holds are skipped. A row whose last holder never wrote back has cost one
    death; such rows come in smaller batches. `becomes` says which status changes into which, and
    `among` which rows may be taken, where that is not for their age alone to say.
    """
    now = timezone.now()
    lease_ends_at = now + timedelta(seconds=LEASE_SECONDS)
    chosen = Q() if among is None else Q(pk__in=among)
    due = list(
        model._default_manager.filter(chosen, free(now), due_at__lte=now)
        .order_by("due_at", "id")
        .select_for_update(skip_locked=True, of=("self",))[: limit if among is None else None]
    )
    for row in due:
        row.deaths += row.holder is not None
    claimed = _healthiest(due, now)
    for row in claimed:
        row.holder, row.leased_until = holder(), lease_ends_at
        row.attempts += 1
        row.fence += 1
        if becomes:
            row.status = becomes.get(row.status, row.status)
    if claimed:
        _write_claim(model, claimed, becomes)
    return sorted(claimed, key=lambda row: row.pk)


def _write_claim(
    model: type[WorkModel], claimed: Sequence[WorkModel], becomes: Mapping[str, str]
) -> None:
    changes: dict[str, Any] = {}
    if becomes:
        whens = [When(status=before, then=Value(after)) for before, after in becomes.items()]
        changes["status"] = Case(*whens, default=F("status"))
    first = claimed[0]
    model._default_manager.filter(_OneOf(F("pk"), [row.pk for row in claimed])).update(
        leased_until=first.leased_until,
        attempts=F("attempts") + 1,
        fence=F("fence") + 1,
        deaths=first.deaths,  # all have the same
        holder=first.holder,
        **changes,
    )


class _OneOf(Lookup):
    """`= ANY` of one array: the thousand parameters of an IN take longer to write than to find."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", (*params, list(self.rhs))


def _healthiest(due: Sequence[WorkModel], now: datetime) -> list[WorkModel]:
    """Of the rows in the order they are due, those to take together: the least suspect first.

    Suspects that have waited for a while take their turn, so that others who keep coming do not
    keep them for ever.
    """
    since = now - timedelta(seconds=SUSPECTS_WAIT_SECONDS)
    waiting = [row for row in due if row.deaths and row.leased_until and row.leased_until <= since]
    fewest = min((row.deaths for row in waiting or due), default=0)
    size = BATCH_SIZE_BY_DEATHS.get(fewest, 1)
    return [row for row in due if row.deaths == fewest][:size]


def still_held(model: type[WorkModel], claimed: list[WorkModel]) -> list[WorkModel]:
    """Lock the claimed rows, in id order, and return those no other worker has taken over."""
    fences = {row.pk: row.fence for row in claimed}
    locked = (
        model._default_manager.select_for_update(of=("self",))
        .filter(_OneOf(F("pk"), fences))
        .order_by("pk")
        .values_list("pk", "fence")
    )
    ours = {pk for pk, fence in locked if fence == fences[pk]}
    return [row for row in claimed if row.pk in ours]


def read_again(model: type[WorkModel], claimed: list[WorkModel]) -> list[WorkModel]:
    """The claimed rows as they stand, without those another worker has taken over."""
    fences = {row.pk: row.fence for row in claimed}
    rows = model._default_manager.filter(_OneOf(F("pk"), fences)).order_by("pk")
    return [row for row in rows if row.fence == fences[row.pk]]


def release(model: type[Work], claimed: Sequence[Work]) -> None:
    """Rows that this worker still holds are due again at once: it could not do them, they could."""
    for fence in {row.fence for row in claimed}:
        model._default_manager.filter(
            pk__in=[row.pk for row in claimed if row.fence == fence],
            fence=fence,
            holder__isnull=False,
        ).update(holder=None)


def suspect(model: type[Work], claimed: Sequence[Work]) -> None:
    """Rows that this worker still holds are free, as if it had died of them."""
    now = timezone.now()
    for fence in {row.fence for row in claimed}:
        model._default_manager.filter(
            pk__in=[row.pk for row in claimed if row.fence == fence],
            fence=fence,
            holder__isnull=False,
        ).update(leased_until=now)


def release_dead(model: type[Work], *, alive: Sequence[int]) -> int:
    """Rows whose holder's heart has stopped are free now; returns how many there were.

    They keep that holder, which the next claim counts as a death. `alive` are the heartbeats that
    beat within DEAD_AFTER_SECONDS.
    """
    now = timezone.now()
    held = model._default_manager.filter(
        due_at__isnull=False, holder__isnull=False, leased_until__gt=now
    )
    return held.exclude(holder__in=[NO_HEARTBEAT, *alive]).update(leased_until=now)


def retry_at(attempts: int, *, now: datetime) -> datetime:
    """When to try again after this many attempts: 5 s, doubling to 15 minutes, then hourly."""
    if attempts > RETRY_HOURLY_AFTER:
        return now + timedelta(hours=1)
    seconds = min(RETRY_FIRST_SECONDS * 2 ** max(attempts - 1, 0), RETRY_LONGEST_SECONDS)
    return now + timedelta(seconds=seconds)


def oldest_due(model: type[WorkModel]) -> datetime | None:
    """Since when the longest waiting row is due; None when nothing waits."""
    now = timezone.now()
    waiting = model._default_manager.filter(free(now), due_at__lte=now)
    return waiting.aggregate(at=Min("due_at"))["at"]
