"""Closing, opening again and posting at the same time."""

import dataclasses
import threading
from typing import Any

import pytest
from django.db import transaction

from ledger.errors import (
    Busy,
)
from ledger.models import AccountingPeriod, AuditEvent, JournalEntry
from ledger.services.periods import (
    approve_reopening,
    close_period,
    define_periods,
    request_reopening,
)
from ledger.services.posting import Result, post_entry
from tests.support.books import query
from tests.support.entries import deposit, wallet
from tests.support.periods import (
    CHECKER,
    FEBRUARY,
    IN_JANUARY,
    MAKER,
    events,
    period,
    post,
)
from tests.support.races import PATIENCE_SECONDS, run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


# --- At the same time ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_people_closing_at_once_close_once(months: Any) -> None:
    outcomes = run_together(
        *[lambda who=who: close_period("2024-01", actor=who) for who in (MAKER, CHECKER) * 2]
    )

    assert len({outcome.close_pack["sha256"] for outcome in outcomes}) == 1
    assert sorted(action for action, _ in events("2024-01")) == [
        *("close_pack_stored", "closed", "defined")
    ]


@pytest.mark.django_db(transaction=True)
def test_two_people_approving_at_once_open_once(months: Any) -> None:
    close_period("2024-01", actor=MAKER)
    request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")

    outcomes = run_together(*[lambda: approve_reopening("2024-01", actor=CHECKER)] * 3)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        *("AccountingPeriod", "InvalidTransition", "InvalidTransition")
    ]
    assert [action for action, _ in events("2024-01")].count("reopened") == 1


@pytest.mark.django_db(transaction=True)
def test_defining_at_once_makes_each_month_once(months: Any) -> None:
    run_together(*[lambda: define_periods("2024-02", "2024-06", zone="UTC", actor=MAKER)] * 4)

    assert AccountingPeriod.objects.count() == 6
    assert AuditEvent.objects.count() == 6


def waiting_for_closing(mode: str) -> int:
    """How many connections wait to post (ShareLock) or to close (ExclusiveLock)."""
    statement = """
        SELECT count(*) FROM pg_locks, hashtextextended('ledger:closing', 0) AS key
        WHERE locktype = 'advisory' AND NOT granted AND mode = %s
            AND (classid::bigint << 32 | objid::bigint) = key
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    ((count,),) = query(statement, [mode])
    return count


def wait_until(condition: Any) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("It did not happen in time.")


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_who_is_posting_and_refuses_who_comes_after(opened: Any) -> None:
    has_posted = threading.Event()

    def first_poster() -> str:
        with transaction.atomic():
            result = post("first", 100, at=IN_JANUARY)
            has_posted.set()
            wait_until(lambda: waiting_for_closing("ShareLock"))
        return result.status

    def closer() -> AccountingPeriod:
        assert has_posted.wait(PATIENCE_SECONDS)
        return close_period("2024-01", actor=MAKER)

    def second_poster() -> str:
        wait_until(lambda: waiting_for_closing("ExclusiveLock"))
        return post("second", 100, at=IN_JANUARY, account=wallet("b")).code

    posted, closed, refused = run_together(first_poster, closer, second_poster)

    assert (posted, refused) == ("posted", "period_closed")
    assert closed.close_pack["control_totals"]["entries"] == 1
    assert JournalEntry.objects.filter(effective_at__lt=FEBRUARY).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_closes_by_hand_waits_for_who_is_posting_too(opened: Any) -> None:
    has_posted = threading.Event()

    def poster() -> str:
        with transaction.atomic():
            result = post("first", 100, at=IN_JANUARY)
            has_posted.set()
            wait_until(lambda: waiting_for_closing("ExclusiveLock"))
            assert period("2024-01").status == "OPEN"
        return result.status

    def closer() -> None:
        assert has_posted.wait(PATIENCE_SECONDS)
        AccountingPeriod.objects.filter(code="2024-01").update(status="CLOSED")

    assert run_together(poster, closer) == ["posted", None]
    assert period("2024-01").status == "CLOSED"


@pytest.mark.django_db(transaction=True)
def test_a_late_item_that_meets_the_close_takes_effect_after_it(opened: Any) -> None:
    has_posted = threading.Event()

    def first_poster() -> None:
        with transaction.atomic():
            post("first", 100, at=IN_JANUARY)
            has_posted.set()
            wait_until(lambda: waiting_for_closing("ShareLock"))

    def closer() -> None:
        assert has_posted.wait(PATIENCE_SECONDS)
        close_period("2024-01", actor=MAKER)

    def late_poster() -> Result:
        wait_until(lambda: waiting_for_closing("ExclusiveLock"))
        entry = deposit("late", wallet("b"), 100, at=IN_JANUARY)
        return post_entry(dataclasses.replace(entry, moves_if_late=True))

    *_, moved = run_together(first_poster, closer, late_poster)

    entry = JournalEntry.objects.get(public_id=moved.public_id)
    assert (entry.effective_at, entry.late_from) == (FEBRUARY, IN_JANUARY)


@pytest.mark.django_db(transaction=True)
def test_closing_gives_up_when_somebody_posts_for_long_and_nothing_has_changed(months: Any) -> None:
    has_posted, has_given_up = threading.Event(), threading.Event()

    def slow_poster() -> None:
        with transaction.atomic():
            post("slow", 100, at=IN_JANUARY)
            has_posted.set()
            assert has_given_up.wait(PATIENCE_SECONDS)

    def closer() -> AccountingPeriod:
        assert has_posted.wait(PATIENCE_SECONDS)
        try:
            return close_period("2024-01", actor=MAKER)
        finally:
            has_given_up.set()

    _, outcome = run_together(slow_poster, closer)

    assert isinstance(outcome, Busy)
    assert period("2024-01").status == "OPEN"
    assert events("2024-01") == [("defined", "maker@example.com")]
