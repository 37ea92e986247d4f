"""Closing the books: periods are closed in order, locked, or opened again by two people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils import timezone

from ledger.actors import Actor
from ledger.close_pack import build_close_pack
from ledger.errors import (
    ApproverIsRequester,
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
from ledger.locks import lock_closing
from ledger.models import AccountingPeriod
from ledger.months import months_between, start_of
from ledger.services import audit
from ledger.states import transition

CODE_LENGTH_MAX = 20
Status = AccountingPeriod.Status


def closed_until() -> datetime | None:
    """The first moment entries may take effect at; None while no period is closed."""
    closed = AccountingPeriod.objects.exclude(status=Status.OPEN)
    moment: datetime | None = closed.aggregate(until=Max("ends_at"))["until"]
    return moment


@transaction.atomic
def open_period(
    code: str, *, starts_at: datetime, ends_at: datetime, actor: Actor
) -> AccountingPeriod:
    """Define a period that begins where the last one ends, or ends where the first one begins.

    The same period again is returned as it is. `ends_at` is the first moment after it. Raises
    InvalidPeriod, PeriodExists and PeriodsNotContiguous.
    """
    if not 0 < len(code) <= CODE_LENGTH_MAX:
        raise InvalidPeriod(f"A period's code has 1 to {CODE_LENGTH_MAX} characters.")
    if starts_at >= ends_at:
        raise InvalidPeriod(f"{code} would end before it begins.")
    lock_closing()
    known = AccountingPeriod.objects.filter(code=code).first()
    if known is not None:
        if (known.starts_at, known.ends_at) != (starts_at, ends_at):
            raise PeriodExists(code, known.starts_at, known.ends_at)
        return known
    _check_contiguous(code, starts_at, ends_at)
    period = AccountingPeriod.objects.create(code=code, starts_at=starts_at, ends_at=ends_at)
    after = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    audit.record("accounting_period.defined", code, actor=actor, after=after)
    return period


def _check_contiguous(code: str, starts_at: datetime, ends_at: datetime) -> None:
    defined = AccountingPeriod.objects.aggregate(first=Min("starts_at"), last=Max("ends_at"))
    if defined["first"] is None or starts_at == defined["last"]:
        return
    # What is closed comes first: nothing open can be put before it.
    if ends_at != defined["first"] or closed_until() is not None:
        raise PeriodsNotContiguous(code, defined["first"], defined["last"])


@transaction.atomic
def define_periods(first: str, last: str, *, zone: str, actor: Actor) -> list[AccountingPeriod]:
    """Define the calendar months from `first` to `last` ("2026-01") as an IANA zone has them.

    All or none; months that exist already stay as they are. Raises what open_period raises, and
    InvalidMonth and UnknownZone.
    """
    return [
        open_period(
            code, starts_at=start_of(code, zone), ends_at=start_of(following, zone), actor=actor
        )
        for code, following in months_between(first, last)
    ]


def close_period(
    code: str,
    *,
    actor: Actor,
    reason: str = "",
    open_items: Iterable[dict[str, Any]] = (),
    expected_empty: Iterable[str] = ("suspense",),
) -> AccountingPeriod:
    """Refuse entries in the earliest open period from now on, and write down what the books say.

    `open_items` are what the floors above the ledger know to be unfinished; accounts whose codes
    begin with `expected_empty` are listed if they are not. Closed first, summed up after, in two
    transactions, so that nobody who wants to post waits for the sums. Repeating it completes what
    a crash left, and otherwise changes nothing.
    Raises PeriodNotFound, PeriodNotOver, EarlierPeriodOpen, and Busy if somebody posts for long.
    """
    _close(code, actor=actor, reason=reason)
    return _store_close_pack(
        code, actor=actor, open_items=open_items, expected_empty=tuple(expected_empty)
    )


@transaction.atomic
def _close(code: str, *, actor: Actor, reason: str) -> None:
    period = _locked(code)
    if period.status != Status.OPEN:
        return
    lock_closing()
    if period.ends_at > timezone.now():
        raise PeriodNotOver(code, period.ends_at)
    earlier = AccountingPeriod.objects.filter(
        status=Status.OPEN, starts_at__lt=period.starts_at
    ).last()
    if earlier is not None:
        raise EarlierPeriodOpen(earlier)
    _change(
        period,
        Status.CLOSED,
        "accounting_period.closed",
        actor=actor,
        reason=reason,
        closed_by=str(actor),
        closed_at=timezone.now(),
        close_pack={},
        reopening_requested_by="",
        reopening_approved_by="",
    )


@transaction.atomic
def _store_close_pack(
    code: str,
    *,
    actor: Actor,
    open_items: Iterable[dict[str, Any]],
    expected_empty: tuple[str, ...],
) -> AccountingPeriod:
    period = _locked(code)
    if period.status == Status.OPEN:  # opened again since
        raise ClosePackMissing(period)
    if period.close_pack:
        return period
    period.close_pack = build_close_pack(
        period, open_items=list(open_items), expected_empty=expected_empty
    )
    period.save(update_fields=["close_pack"])
    audit.record(
        "accounting_period.close_pack_stored",
        code,
        actor=actor,
        after={"sha256": period.close_pack["sha256"]},
    )
    return period


@transaction.atomic
def lock_period(code: str, *, actor: Actor, reason: str = "") -> AccountingPeriod:
    """Close a closed period for good. One that is locked already is returned as it is.

    Earlier periods cannot be opened again after that either. Raises PeriodNotFound,
    InvalidTransition, ClosePackMissing and Busy.
    """
    period = _locked(code)
    if period.status == Status.LOCKED:
        return period
    if not period.close_pack:
        raise ClosePackMissing(period)
    lock_closing()
    _change(
        period,
        Status.LOCKED,
        "accounting_period.locked",
        actor=actor,
        reason=reason,
        reopening_requested_by="",
    )
    return period


@transaction.atomic
def request_reopening(code: str, *, actor: Actor, reason: str) -> AccountingPeriod:
    """Ask somebody else to open the last closed period again; a new request replaces the old one.

    Raises PeriodNotFound, ReasonMissing, InvalidTransition and LaterPeriodClosed.
    """
    audit.required(reason)
    period = _locked(code)
    _check_can_be_opened(period)
    before = _state(period)
    period.reopening_requested_by = str(actor)
    period.save(update_fields=["reopening_requested_by"])
    _record("accounting_period.reopening_requested", period, before, actor=actor, reason=reason)
    return period


@transaction.atomic
def approve_reopening(code: str, *, actor: Actor, reason: str = "") -> AccountingPeriod:
    """Open the last closed period again, as somebody else asked. Its close pack stays for reading.

    Raises PeriodNotFound, InvalidTransition, LaterPeriodClosed, ReopeningNotRequested,
    ApproverIsRequester and Busy.
    """
    period = _locked(code)
    lock_closing()
    _check_can_be_opened(period)
    if not period.reopening_requested_by:
        raise ReopeningNotRequested(period)
    if period.reopening_requested_by == str(actor):
        raise ApproverIsRequester(period)
    _change(
        period,
        Status.OPEN,
        "accounting_period.reopened",
        actor=actor,
        reason=reason,
        closed_by="",
        closed_at=None,
        reopening_approved_by=str(actor),
    )
    return period


def _locked(code: str) -> AccountingPeriod:
    """The period, for this transaction alone, however long somebody sums it up.

    Before `lock_closing`, so that nobody who wants to post waits behind such a wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        period = AccountingPeriod.objects.select_for_update().filter(code=code).first()
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    if period is None:
        raise PeriodNotFound(code)
    return period


def _check_can_be_opened(period: AccountingPeriod) -> None:
    if Status.OPEN not in period.TRANSITIONS[Status(period.status)]:
        raise InvalidTransition(period, Status.OPEN)
    later = AccountingPeriod.objects.exclude(status=Status.OPEN).first()
    if later is not None and later != period:
        raise LaterPeriodClosed(later)


def _change(
    period: AccountingPeriod,
    target: str,
    action: str,
    *,
    actor: Actor,
    reason: str,
    **changes: object,
) -> None:
    before = _state(period)
    transition(period, target, **changes)
    _record(action, period, before, actor=actor, reason=reason)


def _record(
    action: str, period: AccountingPeriod, before: dict[str, Any], *, actor: Actor, reason: str
) -> None:
    """Write down what differs from `before`."""
    after = _state(period)
    changed = [name for name in after if after[name] != before[name]]
    audit.record(
        action,
        period.code,
        actor=actor,
        reason=reason,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )


def _state(period: AccountingPeriod) -> dict[str, Any]:
    return {
        "status": str(period.status),
        "closed_by": period.closed_by,
        "closed_at": period.closed_at and period.closed_at.isoformat(),
        "close_pack_sha256": period.close_pack.get("sha256", ""),
        "reopening_requested_by": period.reopening_requested_by,
        "reopening_approved_by": period.reopening_approved_by,
    }
