"""Closed periods are locked for good, or opened again by two people."""

from typing import Any

import pytest

from ledger.errors import (
    ApproverIsRequester,
    ClosePackMissing,
    InvalidTransition,
    LaterPeriodClosed,
    ReopeningNotRequested,
)
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from ledger.services.periods import (
    approve_reopening,
    close_period,
    closed_until,
    lock_period,
    request_reopening,
)
from tests.support.periods import (
    CHECKER,
    IN_JANUARY,
    INSTANT,
    MAKER,
    MARCH,
    events,
    period,
    post,
    set_by_hand,
)
from tests.support.refusals import refused_by

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


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
