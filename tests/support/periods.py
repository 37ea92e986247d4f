"""Three months to close, and who closes them."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.actors import Actor
from ledger.entries import AccountRef, Entry
from ledger.models import AccountingPeriod, AuditEvent
from ledger.services.periods import (
    define_periods,
)
from ledger.services.posting import Result, post_entries
from tests.support.entries import deposit, wallet
from tests.support.refusals import refused_by

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


@pytest.fixture
def opened(months: Any) -> None:
    """Nobody waits for an account that somebody else is about to open."""
    for name in "ab":
        post(f"opened-{name}", 1, at=IN_FEBRUARY, account=wallet(name))
