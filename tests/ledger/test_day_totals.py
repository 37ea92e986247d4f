"""Totals per day and month: what sealed postings moved, kept so as not to be added up again."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import sql
from ledger.models import Account, DayTotal, MonthTotal
from ledger.services.day_totals import add_day_totals
from tests.support.books import query
from tests.support.entries import NOON, deposit, transfer, wallet
from tests.support.history import post_at, seal_up_to

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

DAY = timedelta(days=1)


def totals_of(code: str) -> list[tuple[Any, ...]]:
    """(effective day, posted day, debits, credits, entries from, to) of March 2026."""
    rows = DayTotal.objects.filter(account__code=code).values_list(
        "effective_on__day",
        "posted_on__day",
        "debits",
        "credits",
        "first_entry_id",
        "last_entry_id",
    )
    return list(rows)


def months_of(code: str) -> list[tuple[Any, ...]]:
    """(effective month, posted month, debits, credits) of 2026."""
    rows = MonthTotal.objects.filter(account__code=code).values_list(
        "effective_month__month", "posted_month__month", "debits", "credits"
    )
    return list(rows)


def wrong() -> list[tuple[str, int, int]]:
    """(account, kept debits minus credits, posted debits minus credits)"""
    return [
        (
            row.code,
            (row.debits or 0) - (row.credits or 0),
            (row.posted_debits or 0) - (row.posted_credits or 0),
        )
        for row in sql.rows("ledger", "find_wrong_day_totals")
    ]


def test_block_counts_by_the_days_of_effect_and_of_posting() -> None:
    (first, second) = post_at(
        NOON, [deposit("d1", wallet("a"), 100), transfer("t1", wallet("a"), wallet("b"), 30)]
    )
    (late,) = post_at(NOON + 3 * DAY, [transfer("t2", wallet("a"), wallet("b"), 5, at=NOON - DAY)])

    add_day_totals(first, late)

    assert totals_of("a") == [(1, 5, 5, 0, late, late), (2, 2, 30, 100, first, second)]
    assert totals_of("b") == [(1, 5, 0, 5, late, late), (2, 2, 0, 30, second, second)]
    assert totals_of("cash:EUR") == [(2, 2, 100, 0, first, first)]


def test_later_block_adds_to_days_there_are() -> None:
    (first,) = post_at(NOON, [deposit("d1", wallet("a"), 100)])
    (second,) = post_at(NOON, [deposit("d2", wallet("a"), 11)])

    add_day_totals(first, first)
    add_day_totals(second, second)

    assert totals_of("a") == [(2, 2, 0, 111, first, second)]


def test_day_begins_at_midnight_utc() -> None:
    midnight = NOON + timedelta(hours=12)
    before = midnight - timedelta(microseconds=1)
    (first,) = post_at(before, [deposit("d1", wallet("a"), 1, at=midnight)])
    (second,) = post_at(midnight, [deposit("d2", wallet("a"), 2, at=before)])

    add_day_totals(first, second)

    assert totals_of("a") == [(2, 3, 0, 2, second, second), (3, 2, 0, 1, first, first)]


def test_months_are_the_sums_of_their_days() -> None:
    (first,) = post_at(NOON, [deposit("d1", wallet("a"), 100)])
    (second, third) = post_at(
        NOON + 40 * DAY,
        [
            transfer("t1", wallet("a"), wallet("b"), 30, at=NOON + 7 * DAY),
            transfer("t2", wallet("a"), wallet("b"), 5, at=NOON + 40 * DAY),
        ],
    )
    (fourth,) = post_at(NOON + 41 * DAY, [transfer("t3", wallet("a"), wallet("b"), 2, at=NOON)])

    add_day_totals(first, second)
    add_day_totals(third, fourth)

    assert months_of("a") == [(3, 3, 0, 100), (3, 4, 32, 0), (4, 4, 5, 0)]
    assert months_of("b") == [(3, 4, 0, 32), (4, 4, 0, 5)]
    assert sql.rows("ledger", "find_wrong_month_totals") == []


def test_changed_missing_and_invented_month_totals_are_found() -> None:
    (last,) = post_at(NOON, [deposit("d1", wallet("a"), 100)])
    seal_up_to(last)

    def off() -> list[tuple[str, int | None, int | None]]:
        rows = sql.rows("ledger", "find_wrong_month_totals")
        return [(row.code, row.credits, row.day_credits) for row in rows]

    assert off() == []
    MonthTotal.objects.filter(account__code="a").update(credits=101)
    assert off() == [("a", 101, 100)]
    MonthTotal.objects.filter(account__code="a").delete()
    assert off() == [("a", None, 100)]
    DayTotal.objects.filter(account__code="a").delete()
    assert off() == []
    MonthTotal.objects.create(
        account=Account.objects.get(code="a"),
        effective_month=NOON.date().replace(day=1),
        posted_month=NOON.date().replace(day=1),
        debits=0,
        credits=7,
    )
    assert off() == [("a", 7, None)]


def test_block_without_entries_adds_nothing() -> None:
    add_day_totals(1, 1_000)

    assert not DayTotal.objects.exists()
    assert not MonthTotal.objects.exists()


def test_totals_of_sealed_blocks_are_right_while_newer_entries_are_not_in_them() -> None:
    (first, second) = post_at(
        NOON, [deposit("d1", wallet("a"), 100), deposit("d2", wallet("b"), 10)]
    )
    post_at(NOON, [deposit("d3", wallet("a"), 1)])

    assert wrong() == []
    seal_up_to(first)
    assert wrong() == []
    seal_up_to(second)
    assert wrong() == []
    assert totals_of("a") == [(2, 2, 0, 100, first, first)]


def test_changed_missing_and_invented_totals_are_found() -> None:
    (last,) = post_at(NOON, [deposit("d1", wallet("a"), 100)])
    seal_up_to(last)
    day = NOON.date()

    DayTotal.objects.filter(account__code="a").update(credits=101)
    assert wrong() == [("a", -101, -100)]

    DayTotal.objects.filter(account__code="a").delete()
    assert wrong() == [("a", 0, -100)]

    add_day_totals(last, last)
    assert wrong() == [("cash:EUR", 200, 100)]

    query("UPDATE ledger_daytotal SET debits = 100 WHERE debits = 200 RETURNING account_id")
    assert wrong() == []
    query(
        "UPDATE ledger_daytotal SET effective_on = %s WHERE debits = 100 RETURNING account_id",
        [day + DAY],
    )
    assert wrong() == [("cash:EUR", 0, 100), ("cash:EUR", 100, 0)]
