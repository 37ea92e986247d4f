"""Accounting periods: defined without gaps, closed in order, locked, opened again by two people."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from ledger.actors import Actor
from ledger.close_pack import as_csv, close_pack_of, sha256_of
from ledger.entries import AccountRef, AccountType, Entry, moves
from ledger.errors import (
    ApproverIsRequester,
    Busy,
    ClosePackMissing,
    EarlierPeriodOpen,
    InvalidPeriod,
    InvalidTransition,
    LaterPeriodClosed,
    PeriodExists,
    PeriodNotFound,
    PeriodNotOver,
    PeriodsNotContiguous,
    ReopeningNotRequested,
)
from ledger.models import Account, AccountingPeriod, AuditEvent, Hold, JournalEntry
from ledger.money import Money
from ledger.months import InvalidMonth, UnknownZone
from ledger.services.audit import ReasonMissing
from ledger.services.periods import (
    approve_reopening,
    close_period,
    closed_until,
    define_periods,
    lock_period,
    open_period,
    request_reopening,
)
from ledger.services.posting import EntryRefused, Result, post_entries, post_entry
from ledger.services.reversals import reverse_entry
from tests.support.books import query
from tests.support.entries import deposit, wallet
from tests.support.races import PATIENCE_SECONDS, run_together
from tests.support.refusals import constraint_of, refused_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

MAKER = Actor("user", "1", "maker@example.com")
CHECKER = Actor("user", "2", "checker@example.com")
JANUARY, FEBRUARY, MARCH = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
IN_JANUARY, IN_FEBRUARY = JANUARY + timedelta(days=9), FEBRUARY + timedelta(days=9)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def months(db: None) -> list[AccountingPeriod]:
    """January to March 2024, UTC."""
    return define_periods("2024-01", "2024-03", zone="UTC", actor=MAKER)


def post(key: str, amount: int, *, at: datetime, account: AccountRef | None = None) -> Result:
    (result,) = post_entries([deposit(key, account or wallet("a"), amount, at=at)])
    return result


def late(key: str, amount: int, *, at: datetime) -> Entry:
    return dataclasses.replace(deposit(key, wallet("a"), amount, at=at), moves_if_late=True)


def period(code: str) -> AccountingPeriod:
    return AccountingPeriod.objects.get(code=code)


def events(code: str) -> list[tuple[str, str]]:
    """What was done to a period and by whom, in order."""
    found = AuditEvent.objects.filter(subject=code).order_by("pk")
    return [(event.action.removeprefix("accounting_period."), event.actor_label) for event in found]


def set_by_hand(code: str, **fields: Any) -> str:
    """The constraint that refuses this change of a period's row."""
    assignments = ", ".join(f"{name} = %s" for name in fields)
    statement = f"UPDATE ledger_accountingperiod SET {assignments} WHERE code = %s"
    return refused_by(statement, [*fields.values(), code])


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


# --- The close pack ------------------------------------------------------------------------


def books_of_january() -> None:
    """5.00 and 1.00 EUR and 300 JPY in January, one of them in its last instant; 9.99 EUR after."""
    yen = wallet("yen", currency="JPY")
    suspense = AccountRef("suspense:EUR", AccountType.LIABILITY, "EUR")
    post("before", 100, at=JANUARY - INSTANT)
    post("d1", 500, at=JANUARY)
    post("d2", 300, at=IN_JANUARY, account=yen)
    unexplained = moves(
        AccountRef("cash:EUR", AccountType.ASSET, "EUR"), suspense, Money(100, "EUR")
    )
    post_entry(Entry("s1", "unexplained", "r", FEBRUARY - INSTANT, unexplained))
    post("after", 999, at=FEBRUARY)


def test_the_close_pack_says_what_the_books_said_at_the_end_of_the_period(months: Any) -> None:
    books_of_january()
    account = Account.objects.get(code="a")
    Hold.objects.create(
        idempotency_key="h1", account=account, reference="r", amount=250, captured=50
    )
    item = {"id": "disc_1", "type": "fee_mismatch", "amount": "-0.20", "currency": "EUR"}

    pack = close_period("2024-01", actor=MAKER, open_items=[item]).close_pack

    assert pack["trial_balance"] == [
        {"currency": "EUR", "debits": "7.00", "credits": "7.00"},
        {"currency": "JPY", "debits": "300", "credits": "300"},
    ]
    assert [
        (row["code"], row["debits"], row["credits"], row["balance"]) for row in pack["accounts"]
    ] == [
        ("cash:EUR", "7.00", "0.00", "7.00"),
        ("suspense:EUR", "0.00", "1.00", "1.00"),
        ("a", "0.00", "6.00", "6.00"),
        ("cash:JPY", "300", "0", "300"),
        ("yen", "0", "300", "300"),
    ]
    figures = ("kind", "currency", "entries", "postings", "debits", "credits")
    totals = pack["control_totals"]
    assert [tuple(row[name] for name in figures) for row in totals["by_kind"]] == [
        ("deposit", "EUR", 1, 2, "5.00", "5.00"),
        ("deposit", "JPY", 1, 2, "300", "300"),
        ("unexplained", "EUR", 1, 2, "1.00", "1.00"),
    ]
    assert [tuple(row[name] for name in figures[1:]) for row in totals["by_currency"]] == [
        ("EUR", 2, 4, "6.00", "6.00"),
        ("JPY", 1, 2, "300", "300"),
    ]
    assert (totals["entries"], totals["postings"], totals["late_entries"]) == (3, 6, 0)
    assert [(row["code"], row["balance"]) for row in pack["not_empty"]] == [
        ("suspense:EUR", "1.00")
    ]
    (held,) = pack["open_holds"]
    assert (held["code"], held["holds"], held["remaining"]) == ("a", 1, "2.00")
    assert pack["open_items"] == [item]
    assert pack["head_seal"] is None


def test_the_hash_of_a_pack_covers_all_of_it_and_is_in_the_audit_trail(months: Any) -> None:
    books_of_january()
    close_period("2024-01", actor=MAKER)

    pack = close_pack_of("2024-01")

    assert sha256_of(pack) == pack["sha256"]
    stored = AuditEvent.objects.get(action="accounting_period.close_pack_stored")
    assert stored.after == {"sha256": pack["sha256"]}
    for name in set(pack) - {"sha256"}:
        assert sha256_of({**pack, name: "changed"}) != pack["sha256"]


def test_a_pack_as_csv_has_every_figure_and_runs_nothing(months: Any) -> None:
    books_of_january()
    item = {"id": "disc_1", "reference": "=cmd|' /C calc'!A0", "amount": "-1.00", "currency": "EUR"}
    close_period("2024-01", actor=MAKER, open_items=[item])

    lines = as_csv(close_pack_of("2024-01")).splitlines()

    assert lines[0] == "section,name,owner,type,currency,count,debits,credits,amount,text"
    assert "trial_balance,,,,EUR,,7.00,7.00,," in lines
    assert "accounts,a,mer_1,liability,EUR,,0.00,6.00,6.00," in lines
    assert "control_total_by_kind,deposit,,,JPY,1,300,300,," in lines
    assert "open_items,'=cmd|' /C calc'!A0,,,EUR,,,,-1.00," in lines


def test_there_is_no_pack_before_the_close(months: Any) -> None:
    with pytest.raises(ClosePackMissing):
        close_pack_of("2024-01")
    with pytest.raises(PeriodNotFound):
        close_pack_of("2024-09")


# --- Locking and opening again -------------------------------------------------------------


def test_a_locked_period_stays_as_it_is(months: Any) -> None:
    close_period("2024-01", actor=MAKER)

    lock_period("2024-01", actor=CHECKER, reason="Audited")
    lock_period("2024-01", actor=MAKER)

    assert events("2024-01")[3:] == [("locked", "checker@example.com")]
    with pytest.raises(InvalidTransition):
        request_reopening("2024-01", actor=MAKER, reason="Forgot one")
    with pytest.raises(InvalidTransition):
        approve_reopening("2024-01", actor=CHECKER)
    for change in (
        {"status": "OPEN"},
        {"status": "CLOSED"},
        {"closed_by": ""},
        {"close_pack": "{}"},
    ):
        assert set_by_hand("2024-01", **change) == "ledger_period_stays_locked"


def test_an_open_period_is_not_locked(months: Any) -> None:
    with pytest.raises(ClosePackMissing):
        lock_period("2024-01", actor=MAKER)

    assert set_by_hand("2024-01", status="LOCKED") == "ledger_period_closed_first"


def test_two_people_open_the_last_closed_period_again(months: Any) -> None:
    first_pack = close_period("2024-01", actor=MAKER).close_pack
    request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")
    assert post("d1", 100, at=IN_JANUARY).code == "period_closed"

    approve_reopening("2024-01", actor=CHECKER)

    opened = period("2024-01")
    assert (opened.status, closed_until()) == ("OPEN", None)
    assert opened.close_pack == first_pack
    assert post("d1", 100, at=IN_JANUARY).status == "posted"
    closed = close_period("2024-01", actor=CHECKER)
    assert (closed.reopening_requested_by, closed.reopening_approved_by) == ("", "")
    assert closed.close_pack["control_totals"]["entries"] == 1
    assert closed.close_pack["sha256"] != first_pack["sha256"]


def test_nobody_approves_his_own_request(months: Any) -> None:
    close_period("2024-01", actor=MAKER)
    with pytest.raises(ReopeningNotRequested):
        approve_reopening("2024-01", actor=CHECKER)
    request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")

    with pytest.raises(ApproverIsRequester):
        approve_reopening("2024-01", actor=MAKER)

    assert period("2024-01").status == "CLOSED"
    assert [action for action, _ in events("2024-01")][3:] == ["reopening_requested"]


def test_a_request_needs_a_reason_and_a_closed_period(months: Any) -> None:
    with pytest.raises(InvalidTransition):
        request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")
    close_period("2024-01", actor=MAKER)

    with pytest.raises(ReasonMissing):
        request_reopening("2024-01", actor=MAKER, reason=" ")

    assert period("2024-01").reopening_requested_by == ""


def test_periods_are_opened_again_in_reverse_order(months: Any) -> None:
    for code in ("2024-01", "2024-02"):
        close_period(code, actor=MAKER)

    with pytest.raises(LaterPeriodClosed, match="2024-02 is closed"):
        request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")

    names = {"reopening_requested_by": "user:a", "reopening_approved_by": "user:b"}
    assert set_by_hand("2024-01", status="OPEN", **names) == "ledger_periods_close_in_order"


@pytest.mark.parametrize(
    ("requested_by", "approved_by"),
    [("", ""), ("user:a", ""), ("", "user:b"), ("user:a", "user:a")],
)
def test_the_database_opens_a_period_only_for_two_people(
    months: Any, requested_by: str, approved_by: str
) -> None:
    close_period("2024-01", actor=MAKER)

    refused = set_by_hand(
        "2024-01",
        status="OPEN",
        reopening_requested_by=requested_by,
        reopening_approved_by=approved_by,
    )

    assert refused == "ledger_period_four_eyes"


def test_the_database_lets_nobody_close_with_an_approval_in_stock(months: Any) -> None:
    names = {"reopening_requested_by": "user:a", "reopening_approved_by": "user:b"}

    assert set_by_hand("2024-01", status="CLOSED", **names) == "ledger_period_four_eyes"


def test_the_database_keeps_a_close_pack_and_what_a_period_is(months: Any) -> None:
    close_period("2024-01", actor=MAKER)

    assert set_by_hand("2024-01", close_pack="{}") == "ledger_period_pack_is_fixed"
    assert set_by_hand("2024-02", ends_at=MARCH - INSTANT) == "ledger_append_only"
    assert refused_by("DELETE FROM ledger_accountingperiod") == "ledger_append_only"


def test_the_audit_trail_tells_the_whole_life_of_a_period(months: Any) -> None:
    close_period("2024-01", actor=MAKER, reason="Month end")
    closed_at = period("2024-01").closed_at.isoformat()
    request_reopening("2024-01", actor=MAKER, reason="An invoice was forgotten")
    approve_reopening("2024-01", actor=CHECKER, reason="Seen the invoice")

    maker, checker = "user:maker@example.com", "user:checker@example.com"
    told = AuditEvent.objects.filter(subject="2024-01").order_by("pk")
    assert [
        (event.reason, event.before, event.after) for event in told if "pack" not in event.action
    ] == [
        (
            "",
            {},
            {"starts_at": "2024-01-01T00:00:00+00:00", "ends_at": "2024-02-01T00:00:00+00:00"},
        ),
        (
            "Month end",
            {"status": "OPEN", "closed_by": "", "closed_at": None},
            {"status": "CLOSED", "closed_by": maker, "closed_at": closed_at},
        ),
        (
            "An invoice was forgotten",
            {"reopening_requested_by": ""},
            {"reopening_requested_by": maker},
        ),
        (
            "Seen the invoice",
            {
                "status": "CLOSED",
                "closed_by": maker,
                "closed_at": closed_at,
                "reopening_approved_by": "",
            },
            {
                "status": "OPEN",
                "closed_by": "",
                "closed_at": None,
                "reopening_approved_by": checker,
            },
        ),
    ]


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


@pytest.fixture
def opened(months: Any) -> None:
    """Nobody waits for an account that somebody else is about to open."""
    for name in "ab":
        post(f"opened-{name}", 1, at=IN_FEBRUARY, account=wallet(name))


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
