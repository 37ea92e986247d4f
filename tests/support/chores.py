"""Work of the simplest kind, to see what becomes of work in general."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest
from django.utils import timezone

from payments.models import JobRun
from payments.services.engine import Trade, work_off_batch


def chores(count: int) -> list[JobRun]:
    """Rows that are due now; each has its number as its period."""
    return JobRun.objects.bulk_create(
        [
            JobRun(job="chore", business_period=f"{number:04}", due_at=timezone.now())
            for number in range(count)
        ]
    )


class Chores:
    """How chores are done: `before` sees the periods of each batch first, and may raise or die."""

    def __init__(self, before: Callable[[list[str]], object] = lambda periods: None) -> None:
        self.before = before
        self.tried: list[int] = []  # how many rows, for each time that some were tried
        self.done: Counter[str] = Counter()
        self.trade = Trade(JobRun, find=self.find, write=self.write)

    def find(self, rows: list[JobRun]) -> None:
        self.tried.append(len(rows))
        self.before([row.business_period for row in rows])

    def write(self, held: list[JobRun], _: None) -> None:
        for row in held:
            row.status, row.due_at, row.holder = JobRun.Status.DONE, None, None
        JobRun.objects.bulk_update(held, ["status", "due_at", "holder"])
        self.done.update(row.business_period for row in held)

    def work_off(self, limit: int = 1_000) -> int:
        return work_off_batch(self.trade, limit=limit)


class Clock:
    """What `timezone.now` says, until it is moved on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
        self.now = now
        monkeypatch.setattr(timezone, "now", lambda: self.now)


def fail_for(*bad: str) -> Callable[[list[str]], None]:
    def check(periods: list[str]) -> None:
        if found := set(bad) & set(periods):
            raise ValueError(f"cannot do {min(found)}")

    return check


def end_leases() -> None:
    """Whoever held rows is known to be gone."""
    JobRun.objects.filter(holder__isnull=False).update(leased_until=timezone.now())
