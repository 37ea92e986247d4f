"""Accounting periods: defined without gaps, closed in order; what is late goes to the next."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from ledger.errors import (
    ClosePackMissing,
    EarlierPeriodOpen,
    InvalidPeriod,
    PeriodExists,
    PeriodNotFound,
    PeriodNotOver,
    PeriodsNotContiguous,
)
from ledger.models import AccountingPeriod, JournalEntry
from ledger.months import InvalidMonth, UnknownZone
from ledger.services.periods import (
    close_period,
    closed_until,
    define_periods,
    lock_period,
    open_period,
)
from ledger.services.posting import EntryRefused, post_entry
from ledger.services.reversals import reverse_entry
from tests.support.periods import (
    CHECKER,
    FEBRUARY,
    IN_FEBRUARY,
    IN_JANUARY,
    INSTANT,
    JANUARY,
    MAKER,
    MARCH,
    events,
    late,
    period,
    post,
    set_by_hand,
)
from tests.support.refusals import constraint_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


# --- Defining ------------------------------------------------------------------------------


def test_months_begin_at_midnight_of_their_zone_in_summer_and_winter() -> None:
    october = define_periods("2024-03", "2024-11", zone="Europe/Berlin", actor=MAKER)[7]

    assert (period("2024-03").starts_at, period("2024-03").ends_at) == (
        datetime(2024, 2, 29, 23, tzinfo=UTC),
        datetime(2024, 3, 31, 22, tzinfo=UTC),
    )
    assert (october.code, october.starts_at, october.ends_at) == (
        "2024-10",
        datetime(2024, 9, 30, 22, tzinfo=UTC),
        datetime(2024, 10, 31, 23, tzinfo=UTC),
    )


def test_a_midnight_that_the_clock_skips_is_the_moment_it_does() -> None:
    """In Asuncion 1 October 2017 began at 01:00."""
    september, _ = define_periods("2017-09", "2017-10", zone="America/Asuncion", actor=MAKER)

    assert september.ends_at == datetime(2017, 10, 1, 4, tzinfo=UTC)


def test_defining_again_changes_nothing_and_more_months_go_on(months: Any) -> None:
    again = define_periods("2024-01", "2024-04", zone="UTC", actor=CHECKER)

    assert again[:3] == months
    assert [row.code for row in AccountingPeriod.objects.order_by("starts_at")] == [
        *("2024-01", "2024-02", "2024-03", "2024-04")
    ]
    assert events("2024-01") == [("defined", "maker@example.com")]
    assert events("2024-04") == [("defined", "checker@example.com")]


def test_the_same_month_of_another_zone_is_refused_and_nothing_is_defined(months: Any) -> None:
    with pytest.raises(PeriodExists, match=r"2024-03 exists already, from 2024-03-01T00:00:00"):
        define_periods("2024-03", "2024-06", zone="Europe/Berlin", actor=MAKER)

    assert AccountingPeriod.objects.count() == 3


@pytest.mark.parametrize(
    ("first", "last"), [("2024-05", "2024-06"), ("2023-10", "2023-11"), ("2023-11", "2024-04")]
)
def test_a_gap_is_refused(months: Any, first: str, last: str) -> None:
    with pytest.raises(PeriodsNotContiguous, match="defined from 2024-01-01T00:00:00"):
        define_periods(first, last, zone="UTC", actor=MAKER)

    assert AccountingPeriod.objects.count() == 3


def test_an_overlap_is_refused_by_the_service_and_by_the_database(months: Any) -> None:
    overlapping = {"starts_at": MARCH + timedelta(days=1), "ends_at": MARCH + timedelta(days=60)}

    with pytest.raises(PeriodsNotContiguous):
        open_period("Q2", **overlapping, actor=MAKER)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        AccountingPeriod.objects.create(code="Q2", **overlapping)

    assert constraint_of(refusal.value) == "ledger_period_no_overlap"


def test_earlier_periods_are_defined_only_while_nothing_is_closed(months: Any) -> None:
    december = open_period(
        "2023-12", starts_at=JANUARY - timedelta(days=31), ends_at=JANUARY, actor=MAKER
    )
    close_period("2023-12", actor=MAKER)
    november = {"starts_at": december.starts_at - timedelta(days=30), "ends_at": december.starts_at}

    with pytest.raises(PeriodsNotContiguous):
        open_period("2023-11", **november, actor=MAKER)
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        AccountingPeriod.objects.create(code="2023-11", **november)

    assert constraint_of(refusal.value) == "ledger_periods_close_in_order"


@pytest.mark.parametrize(
    ("first", "last", "zone", "refusal"),
    [
        ("2024-13", "2024-13", "UTC", InvalidMonth),
        ("2024-1", "2024-02", "UTC", InvalidMonth),
        ("٢٠٢٤-01", "2024-02", "UTC", InvalidMonth),
        ("2024-02", "2024-01", "UTC", InvalidMonth),
        ("1900-01", "2024-01", "UTC", InvalidMonth),
        ("2024-01", "2024-01", "Europe/Bärlin", UnknownZone),
        ("2024-01", "2024-01", "../../etc/passwd", UnknownZone),
        ("2024-01", "2024-01", "", UnknownZone),
    ],
)
def test_what_is_no_month_or_zone_is_refused(
    first: str, last: str, zone: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        define_periods(first, last, zone=zone, actor=MAKER)

    assert not AccountingPeriod.objects.exists()


@pytest.mark.parametrize(("code", "days"), [("", 1), ("x" * 21, 1), ("day", 0), ("day", -1)])
def test_a_period_has_a_code_and_a_length(code: str, days: int) -> None:
    with pytest.raises(InvalidPeriod):
        open_period(code, starts_at=JANUARY, ends_at=JANUARY + timedelta(days=days), actor=MAKER)


# --- Closing -------------------------------------------------------------------------------


def test_a_closed_period_takes_no_entry_and_the_next_one_does(months: Any) -> None:
    close_period("2024-01", actor=MAKER, reason="Month end")

    refused = post("d1", 100, at=FEBRUARY - INSTANT)
    posted = post("d2", 100, at=FEBRUARY)

    assert (refused.code, posted.status) == ("period_closed", "posted")
    assert closed_until() == FEBRUARY
    closed = period("2024-01")
    assert (closed.status, closed.closed_by) == ("CLOSED", "user:maker@example.com")


def test_everything_before_a_closed_period_is_closed_defined_or_not(months: Any) -> None:
    close_period("2024-01", actor=MAKER)

    assert post("d1", 100, at=datetime(1999, 12, 31, tzinfo=UTC)).code == "period_closed"


def test_nothing_is_closed_at_first(months: Any) -> None:
    assert closed_until() is None
    assert post("d1", 100, at=datetime(1999, 12, 31, tzinfo=UTC)).status == "posted"


def test_periods_are_closed_in_order_and_only_when_over(months: Any) -> None:
    now = datetime.now(UTC)
    open_period(
        "now", starts_at=MARCH + timedelta(days=31), ends_at=now + INSTANT * 10**8, actor=MAKER
    )

    with pytest.raises(EarlierPeriodOpen, match="2024-01 is open"):
        close_period("2024-03", actor=MAKER)
    with pytest.raises(PeriodNotFound):
        close_period("2024-12", actor=MAKER)
    for code in ("2024-01", "2024-02", "2024-03"):
        close_period(code, actor=MAKER)
    with pytest.raises(PeriodNotOver):
        close_period("now", actor=MAKER)

    assert closed_until() == datetime(2024, 4, 1, tzinfo=UTC)
    assert set_by_hand("now", status="LOCKED") == "ledger_period_closed_first"


def test_closing_again_changes_nothing(months: Any) -> None:
    first = close_period("2024-01", actor=MAKER)

    again = close_period("2024-01", actor=CHECKER, open_items=[{"id": "disc_1"}])

    assert again.close_pack == first.close_pack
    assert again.closed_by == "user:maker@example.com"
    assert [action for action, _ in events("2024-01")] == ["defined", "closed", "close_pack_stored"]


def test_a_crash_before_the_close_pack_is_completed_by_closing_again(months: Any) -> None:
    def power_failure() -> Iterator[dict[str, Any]]:
        raise RuntimeError("no power")
        yield

    with pytest.raises(RuntimeError):
        close_period("2024-01", actor=MAKER, open_items=power_failure())
    with pytest.raises(ClosePackMissing):
        lock_period("2024-01", actor=MAKER)
    assert (period("2024-01").status, post("d1", 1, at=IN_JANUARY).code) == (
        "CLOSED",
        "period_closed",
    )

    close_period("2024-01", actor=CHECKER)

    assert period("2024-01").close_pack["closed_by"] == "user:maker@example.com"
    assert events("2024-01")[1:] == [
        ("closed", "maker@example.com"),
        ("close_pack_stored", "checker@example.com"),
    ]


# --- What comes late -----------------------------------------------------------------------


def test_a_late_item_takes_effect_when_the_next_open_period_begins(months: Any) -> None:
    close_period("2024-01", actor=MAKER)

    first = post_entry(late("d1", 70, at=IN_JANUARY))
    again = post_entry(late("d1", 70, at=IN_JANUARY))

    entry = JournalEntry.objects.get(public_id=first.public_id)
    assert (entry.effective_at, entry.late_from) == (FEBRUARY, IN_JANUARY)
    assert (again.status, again.public_id) == ("replayed", first.public_id)
    totals = close_period("2024-02", actor=MAKER).close_pack["control_totals"]
    assert (totals["entries"], totals["late_entries"]) == (1, 1)


def test_what_a_closed_period_has_wrong_is_reversed_in_an_open_one(months: Any) -> None:
    entry_id = post("d1", 100, at=IN_JANUARY).public_id
    close_period("2024-01", actor=MAKER)

    with pytest.raises(EntryRefused) as refusal:
        reverse_entry(entry_id, reason="Typo", actor=MAKER, effective_at=IN_JANUARY)
    reversal = reverse_entry(entry_id, reason="Typo", actor=MAKER, effective_at=IN_FEBRUARY)

    assert refusal.value.code == "period_closed"
    assert reversal.effective_at == IN_FEBRUARY
