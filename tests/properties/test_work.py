"""Whatever workers do to rows in whatever order, each row ends once, done by one of them or parked.

`WORK_EXAMPLES` makes it longer; a failure prints the steps that lead to it.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ledger.actors import Actor
from payments import work
from payments.models import JobRun, ParkedWork
from payments.services.engine import do_rows
from payments.services.parking import park, retry_parked
from tests.support.chores import Chores, chores, fail_for

EXAMPLES = int(os.environ.get("WORK_EXAMPLES", "25"))
STEPS_PER_EXAMPLE = 60
OPERATOR = Actor("user", "1", "operator")

# Their heartbeats; 0 has none.
workers = st.sampled_from([0, 1, 2, 3])
some = st.integers(0, 10**6)  # picks one of what there is by then


class Workers(RuleBasedStateMachine):
    """Four workers and a table; what each has in hand is what it remembers, not what is true."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(timezone, "now", lambda: self.now)
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.in_hand: dict[int, list[JobRun]] = {}
        self.bad: set[str] = set()
        self.chores = Chores(lambda periods: fail_for(*self.bad)(periods))

    def teardown(self) -> None:
        try:
            self.end()
        finally:
            work.hold_as(work.NO_HEARTBEAT)
            self.patch.undo()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    @initialize(count=st.integers(1, 40))
    def begin(self, count: int) -> None:
        self.count = count
        chores(count)

    # What workers do.

    @rule(worker=workers, limit=st.sampled_from([1, 3, 10, 1_000]))
    def claim(self, worker: int, limit: int) -> None:
        """As `work_off_batch` begins; whatever it still had in hand it has forgotten."""
        work.hold_as(worker)
        claimed = work.claim(JobRun, limit=limit)
        for row in claimed:
            if row.deaths >= work.DEATHS_MAX:
                park(row, "It kills its workers.")
        self.in_hand[worker] = [row for row in claimed if row.deaths < work.DEATHS_MAX]

    @rule(worker=workers, bad=st.sets(some, max_size=3))
    def do(self, worker: int, bad: set[int]) -> None:
        """It does what it thinks it has, and fails for some of it."""
        rows = self.in_hand.pop(worker, [])
        self.bad = {rows[each % len(rows)].business_period for each in bad} if rows else set()
        if rows:
            do_rows(rows, self.chores.trade)
        self.bad = set()

    @rule(worker=workers)
    def lose_the_database(self, worker: int) -> None:
        work.release(JobRun, self.in_hand.pop(worker, []))

    @rule(worker=workers)
    def die(self, worker: int) -> None:
        self.in_hand.pop(worker, None)

    # What happens to all.

    @rule(dead=st.sets(workers, max_size=3))
    def sweep(self, dead: set[int]) -> None:
        """Who is taken for dead may live, and go on with what it has in hand."""
        work.release_dead(JobRun, alive=[each for each in (1, 2, 3) if each not in dead])

    @rule(seconds=st.sampled_from([1, 10, 70, 4_000]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(which=some)
    def retry(self, which: int) -> None:
        parked = list(ParkedWork.objects.filter(resolved_at=None).order_by("id"))
        if parked:
            retry_parked(parked[which % len(parked)], actor=OPERATOR, reason="Again")

    # What is always true.

    @invariant()
    def nobody_shares(self) -> None:
        """Of those who think they have a row, one at most can write to it."""
        fences = dict(JobRun.objects.values_list("pk", "fence"))
        able = Counter(
            row.pk for rows in self.in_hand.values() for row in rows if row.fence == fences[row.pk]
        )
        assert set(able.values()) <= {1}

    @invariant()
    def done_is_done_once(self) -> None:
        done = JobRun.objects.filter(status="DONE").values_list("business_period", flat=True)
        assert self.chores.done == Counter(done)

    @invariant()
    def rest_is_due_or_parked(self) -> None:
        open_rows = JobRun.objects.filter(status="DUE")
        parked = ParkedWork.objects.filter(resolved_at=None).values_list("row_id", flat=True)
        assert sorted(parked) == sorted(open_rows.filter(due_at=None).values_list("pk", flat=True))
        assert not JobRun.objects.filter(due_at=None, holder__isnull=False).exists()

    @invariant()
    def every_death_and_failure_was_an_attempt(self) -> None:
        for row in JobRun.objects.all():
            assert row.attempts >= row.deaths + row.failures
            assert row.deaths <= work.DEATHS_MAX
            assert row.failures <= work.FAILURES_MAX

    def end(self) -> None:
        """Everybody is gone; a new worker takes what there is."""
        self.in_hand.clear()
        work.hold_as(4)
        for _ in range(50 * work.FAILURES_MAX):
            self.now += timedelta(hours=2)
            if not self.chores.work_off():
                break
        self.done_is_done_once()
        self.rest_is_due_or_parked()
        assert not JobRun.objects.filter(due_at__isnull=False).exists()
        ended = JobRun.objects.filter(status="DONE").count()
        assert ended + ParkedWork.objects.filter(resolved_at=None).count() == self.count


@pytest.mark.django_db
def test_each_row_ends_once_whatever_workers_do() -> None:
    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
